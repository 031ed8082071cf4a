"""Every call for the files that options read and lock, refused with each errno of its page.

No such failure stops a login: it continues, and at most one line reports what is missing.
"""

import os
import posix
from typing import Any

import pytest
from fault import errnos

from pam_pykeyinit.kernel import procfs, syscalls
from pam_pykeyinit.module import Handle
from pam_pykeyinit.policies import lock
from support import world
from support.child import in_child
from support.journal import Journal
from support.pamh import Pamh

pytestmark = pytest.mark.privileged

# Which calls for a file: the page of each, the option that makes them, and their number.
LOCK = {"mkdir": ("mkdir(2)", 1), "open": ("open(2)", 2), "fstat": ("stat(2)", 1),
        "close": ("close(2)", 2)}  # fmt: skip
PROCFS = {"open": ("open(2)", 1), "read": ("read(2)", 2), "close": ("close(2)", 1)}
FILES: list[tuple[Any, str, dict[str, tuple[str, int]]]] = [
    (lock, "name=files-{}", LOCK),
    (procfs, "quota_warn=100", PROCFS),
]


class _Faulty:
    """posix, except for one call."""

    def __init__(self, name: str, count: int, error: int) -> None:
        self._name, self._left, self._error = name, count, error
        self.came = False

    def __getattr__(self, name: str) -> Any:
        self._left -= name == self._name
        return self._refuse if name == self._name and self._left == 0 else getattr(posix, name)

    def _refuse(self, *_: object, **__: object) -> None:
        self.came = True
        raise OSError(self._error, os.strerror(self._error))


def _opened(module: Any, option: str, faulty: _Faulty) -> tuple[object, int, bool]:
    """The code, the owner of the session keyring, and whether the fault happened."""
    module.posix = faulty
    words = ["m", "force", *option.format(os.getpid()).split()]
    code = Handle().pam_sm_open_session(Pamh("alice"), 0, words)
    module.posix = posix
    owner = world.owner(syscalls.get_keyring_id(syscalls.SESSION_KEYRING))
    return code, owner, faulty.came


@pytest.mark.parametrize(("module", "option", "calls"), FILES, ids=["lock", "procfs"])
def test_a_login_goes_on(
    module: Any,
    option: str,
    calls: dict[str, tuple[str, int]],
    journal: Journal,
    tally: dict[str, int],
) -> None:
    said = 0
    for name, (page, most) in calls.items():
        for count in range(1, most + 1):
            for error in errnos.PAGES[page]:
                faulty = _Faulty(name, count, errnos.number(error))
                seen = in_child(lambda faulty=faulty: _opened(module, option, faulty))  # type: ignore[misc]
                lines = journal.ours()
                where = f"{name} {count} {error}: {seen} {lines}"
                assert seen == (0, world.uid("alice"), True), where
                assert [line.level for line in lines] in ([], ["NOTICE"]), where
                said += len(lines)
                tally["faults of files"] = tally.get("faults of files", 0) + 1
    assert bool(said) is (module is lock)
