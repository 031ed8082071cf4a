"""Failures, in words that an administrator can act on.  Pure."""

import errno

from .kernel import KernelError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    Result = TypeVar("Result")

_HINTS = {
    errno.ENOSYS: "this kernel has no keyrings, or a seccomp filter hides them",
    errno.EPERM: "a seccomp filter, a security module or a missing capability forbids it",
    errno.EACCES: "the keyring's permissions or a security module forbid it",
    errno.EDQUOT: "the owner's key quota is used up: see /proc/key-users, kernel.keys.maxkeys",
    errno.ENOMEM: "the kernel has no memory for it",
    errno.EKEYREVOKED: "the keyring has been revoked",
    errno.EKEYEXPIRED: "the keyring has expired",
}


class Failed(Exception):
    """Something was refused.  str() is the line for the log."""


def failed(error: KernelError, consequence: str) -> Failed:
    """Word a refused call: which one, the errno's name, and what follows for the user."""
    hint = _HINTS.get(error.errno, error.strerror)
    return Failed(f"{error.call}: {name_of(error)}: {consequence} ({hint})")


def name_of(error: OSError) -> str:
    """The errno by its name, or by its number where it has none."""
    return str(errno.errorcode.get(error.errno, error.errno))


def attempt(consequence: str, call: "Callable[..., Result]", *arguments: "int | str") -> "Result":
    """Return call(*arguments); raise Failed, with the consequence, for its KernelError."""
    try:
        return call(*arguments)
    except KernelError as error:
        raise failed(error, consequence) from error
