"""/proc/keys, a line for each key, as proc_keys_show() in the kernel prints it."""

import pytest

from pam_pykeyinit.kernel import listing

KEYRING = "0015afb9 I--Q---     2 perm 3f030000  1000  1100 keyring   _ses: 1"
USER = "3c2d10f0 IR-Q---     1   5m 3f010000  1000  1100 user      a b  c: 3"
LONG = "00000002 I------     1 expd 1f030000     0     0 asymmetri key: X509"


def _reported(table: str) -> dict[int, tuple[str, str, str, str]]:
    return {
        serial: (row.flags, row.expires, row.kind, row.text)
        for serial, row in listing.rows(table).items()
    }


def test_what_is_said_of_each_key() -> None:
    assert _reported(f"{KEYRING}\n{USER}\n{LONG}\n") == {
        0x0015AFB9: ("I--Q---", "perm", "keyring", "_ses: 1"),
        0x3C2D10F0: ("IR-Q---", "5m", "user", "a b  c: 3"),
        2: ("I------", "expd", "asymmetri", "key: X509"),
    }


def test_of_two_lines_on_one_key_neither_is_believed() -> None:
    forged = KEYRING.replace("perm", "  1m")
    assert _reported(f"{KEYRING}\n{USER}\n{forged}\n{forged}\n").keys() == {0x3C2D10F0}


@pytest.mark.parametrize(
    "line",
    [
        "",
        KEYRING[1:],
        "0" + KEYRING,
        KEYRING.replace("0015afb9 ", "0015afb9-"),
        KEYRING.replace("0015afb9", "0015afbg"),
        KEYRING.replace("0015afb9", "a word.."),
        KEYRING.replace("0015afb9", "00000000"),
        "0015afb9 I--Q---     2 perm 3f030000  1000  1100",
    ],
)
def test_a_line_that_is_none_of_the_kernels_is_passed_over(line: str) -> None:
    assert _reported(f"{line}\n{USER}\n").keys() == {0x3C2D10F0}
