"""A signal handler of a Python host may raise wherever Python checks for signals.

It checks where a function is entered and where a call returns.  Here an exception is raised
at each such place in turn: ids are always as before.
"""

import os
import sys
from types import FrameType
from typing import Any

import pytest

import pam_pykeyinit
from pam_pykeyinit.module import Handle
from support.child import in_child
from support.pamh import Pamh

pytestmark = pytest.mark.privileged

(PACKAGE,) = pam_pykeyinit.__path__


class Interrupt:
    """Raises KeyboardInterrupt at the Nth entry or return of a function of the package."""

    def __init__(self, at: int) -> None:
        self.left = at

    def __call__(self, frame: FrameType, event: str, _: Any) -> "Interrupt":
        ours = frame.f_code.co_filename.startswith(f"{PACKAGE}/")
        if ours and event in ("call", "return"):
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt
        return self


def _interrupted(at: int) -> tuple[object, bool, bool]:
    """The codes of open and close; whether ids are as before; whether the place was reached."""
    handle = Handle()
    before = os.getresuid(), os.getresgid()
    interrupt = Interrupt(at)
    sys.settrace(interrupt)
    try:
        code: object = handle.pam_sm_open_session(Pamh("alice"), 0, ["m", "force", "revoke"])
        code = (code, handle.pam_sm_close_session(Pamh("alice"), 0, ["m"]))
    except KeyboardInterrupt:
        code = "raised"
    finally:
        sys.settrace(None)
    return code, (os.getresuid(), os.getresgid()) == before, interrupt.left <= 0


def test_ids_are_restored_wherever_an_interrupt_comes(tally: dict[str, int]) -> None:
    switched = raised = 0
    for at in range(1, 10_000):
        code, ids_kept, reached = in_child(lambda at=at: _interrupted(at))  # type: ignore[misc]
        assert ids_kept, f"interrupt {at}: {code}"
        if not reached:
            break
        raised += code == "raised"
        switched += 1
    assert switched > 50
    # These are only the entries and exits of the three functions of each handler that run before
    # its `try`: the loader converts an exception of a handler into an error code.
    assert raised <= 12
    tally["interrupts"] = switched


def test_an_interrupt_is_an_error_code(journal: Any) -> None:
    handle = Handle()
    code = handle.pam_sm_open_session(Pamh(KeyboardInterrupt()), 0, ["m"])
    assert code == 14
    assert [line.level for line in journal.ours()] == ["ERR"]
