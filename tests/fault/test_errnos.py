"""tests/fault/errnos.py has all errnos of the manual pages on this machine."""

import gzip
import re
from pathlib import Path

import pytest
from fault import errnos

MANUAL = Path("/usr/share/man")


def _file(page: str) -> Path:
    name, section = page.rstrip(")").split("(")
    return MANUAL / f"man{section}/{name}.{section}.gz"


def _reported(text: str) -> set[str]:
    """The names at the start of the entries in the section of errors, or of return values."""
    section = re.search(r'^\.SH "?(?:ERRORS|RETURN VALUES)"?$(.*?)^\.SH ', text, re.M | re.S)
    assert section
    entries = [line for line in section[1].splitlines() if re.match(r"\.BR? E|PAM_", line)]
    return set(re.findall(r"\b(?:E|PAM_)[A-Z0-9_]{2,}\b", "\n".join(entries))) - {"PAM_SUCCESS"}


@pytest.mark.parametrize("page", errnos.PAGES)
def test_a_page_says_so(page: str) -> None:
    file = _file(page)
    if not file.exists():  # Debian 13 lacks those of libpam
        pytest.skip("not here: it is of manpages-dev, libkeyutils-dev, or libpam0g-dev")
    found = _reported(gzip.decompress(file.read_bytes()).decode())
    assert found <= set(errnos.PAGES[page])
    assert set(errnos.PAGES[page]) - found <= errnos.NOT_ON_EVERY_PAGE.get(page, set())


def test_a_page_that_says_more_is_seen() -> None:
    page = '.SH ERRORS\n.TP\n.B EPERM\nNot\n.B EIO\n.TP\n.BR EAGAIN " or " EBUSY\n.SH NOTES\n'
    assert _reported(page) == {"EPERM", "EIO", "EAGAIN", "EBUSY"}
    page = '.SH "RETURN VALUES"\n.PP\nPAM_BUF_ERR\n.RS 4\nof PAM_X\n.RE\n.SH "SEE"\n'
    assert _reported(page) == {"PAM_BUF_ERR"}


@pytest.mark.parametrize("call", errnos.CALLS)
def test_every_name_has_a_number(call: str) -> None:
    names = errnos.names_of(call)
    assert names
    assert all(0 < errnos.number(name) < 140 for name in names)
