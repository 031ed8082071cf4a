"""A page, its claims, and the results of trying them on the kernel.

All of tests/claims works with any Python from 3.9 on, because old releases have old kernels.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from support.child import in_child

HOLDS = "holds"
DIFFERS = "differs"
NOT_TESTABLE = "not testable"
ELSEWHERE = "holds, see"
FAILED = "FAILED"
NOT_HERE = f"{NOT_TESTABLE}: here: "

# A claim returns "" if it holds, or what the kernel does instead.
Look = Callable[[], str]


class NotHere(Exception):
    """This process cannot observe it; str() says why."""


@dataclass
class Claim:
    """One statement of fact, in our words, and the function that tries it."""

    text: str
    look: Look | None = None
    reason: str = ""  # why it is not testable
    test: str = ""  # the test that covers it instead of a function

    def verdict(self) -> tuple[str, str]:
        """Try the claim in a child process; return one of the words above, and details."""
        if self.test:
            return ELSEWHERE, self.test
        if self.look is None:
            return NOT_TESTABLE, self.reason
        word, details = in_child(self._ask)
        return word, details

    def _ask(self) -> tuple[str, str]:
        assert self.look
        try:
            instead = self.look()
        except NotHere as reason:
            return NOT_TESTABLE, f"here: {reason}"
        except Exception as error:
            return FAILED, f"{type(error).__name__}: {error}"
        return (DIFFERS, instead) if instead else (HOLDS, "")


class Page:
    """A manual page: its claims, in its order."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.claims: list[Claim] = []

    def claim(self, text: str) -> Callable[[Look], Look]:
        """The decorated function tries this claim."""

        def remember(look: Look) -> Look:
            self.claims.append(Claim(text, look))
            return look

        return remember

    def untestable(self, text: str, reason: str) -> None:
        """A claim that no test can check."""
        self.claims.append(Claim(text, reason=reason))

    def elsewhere(self, text: str, test: str) -> None:
        """A claim that another test covers: "tests/file.py::name", or the claims of a page."""
        self.claims.append(Claim(text, test=test))


def holds_if(observed: bool) -> str:
    """For a claim without exceptions: any other result is a failure."""
    assert observed, "the kernel does otherwise"
    return ""


def base_uid() -> int:
    """Users of the claims have no names; concurrent worlds use other numbers."""
    return int(os.environ.get("WORLD_UIDS", "61001")) + 10
