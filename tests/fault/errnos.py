"""The errnos of each call that the module makes, according to the manual pages of every release.

test_errnos.py compares this with the pages themselves.
"""

import errno
import re
from pathlib import Path

_PAM_TYPES = Path("/usr/include/security/_pam_types.h")

# From the section ERRORS, or RETURN VALUES, of a page.
PAGES: dict[str, tuple[str, ...]] = {
    "add_key(2)": (
        *("EACCES", "EDQUOT", "EFAULT", "EINVAL", "EKEYEXPIRED", "EKEYREVOKED", "ENOKEY"),
        *("ENOMEM", "EPERM"),
    ),
    "close(2)": ("EBADF", "EDQUOT", "EINTR", "EIO", "ENOSPC"),
    "flock(2)": ("EBADF", "EINTR", "EINVAL", "ENOLCK", "EWOULDBLOCK"),
    "keyctl(2)": (
        *("EACCES", "EAGAIN", "EDEADLK", "EDQUOT", "EEXIST", "EFAULT", "EINVAL", "EKEYEXPIRED"),
        *("EKEYREJECTED", "EKEYREVOKED", "ELOOP", "EMSGSIZE", "ENFILE", "ENOENT", "ENOKEY"),
        *("ENOMEM", "ENOTDIR", "EOPNOTSUPP", "EPERM", "ETIMEDOUT"),
    ),
    "keyctl_describe(3)": ("EACCES", "EKEYEXPIRED", "EKEYREVOKED", "ENOKEY"),
    "keyctl_get_keyring_ID(3)": ("EDQUOT", "ENOKEY", "ENOMEM"),
    "keyctl_get_persistent(3)": (
        *("EACCES", "EDQUOT", "EKEYEXPIRED", "EKEYREVOKED", "ENOKEY", "ENOMEM", "EPERM"),
    ),
    "keyctl_invalidate(3)": ("EACCES", "EKEYEXPIRED", "EKEYREVOKED", "ENOKEY"),
    "keyctl_join_session_keyring(3)": ("EACCES", "EDQUOT", "ENOMEM"),
    "keyctl_link(3)": ("EACCES", "EDQUOT", "EKEYEXPIRED", "EKEYREVOKED", "ENOKEY", "ENOMEM"),
    "keyctl_revoke(3)": ("EACCES", "EKEYREVOKED", "ENOKEY"),
    "keyctl_set_timeout(3)": ("EACCES", "EKEYEXPIRED", "EKEYREVOKED", "ENOKEY"),
    "keyctl_setperm(3)": ("EACCES", "EKEYEXPIRED", "EKEYREVOKED", "ENOKEY"),
    "mkdir(2)": (
        *("EACCES", "EBADF", "EDQUOT", "EEXIST", "EFAULT", "EINVAL", "ELOOP", "EMLINK"),
        *("ENAMETOOLONG", "ENOENT", "ENOMEM", "ENOSPC", "ENOTDIR", "EOVERFLOW", "EPERM", "EROFS"),
    ),
    "mmap(2)": (
        *("EACCES", "EAGAIN", "EBADF", "EEXIST", "EINVAL", "ENFILE", "ENODEV", "ENOMEM"),
        *("EOVERFLOW", "EPERM", "ETXTBSY"),
    ),
    "open(2)": (
        *("EACCES", "EBADF", "EBUSY", "EDQUOT", "EEXIST", "EFAULT", "EFBIG", "EINTR", "EINVAL"),
        *("EISDIR", "ELOOP", "EMFILE", "ENAMETOOLONG", "ENFILE", "ENODEV", "ENOENT", "ENOMEM"),
        *("ENOSPC", "ENOTDIR", "ENXIO", "EOPNOTSUPP", "EOVERFLOW", "EPERM", "EROFS", "ETXTBSY"),
        "EWOULDBLOCK",
    ),
    "pam_get_data(3)": ("PAM_NO_MODULE_DATA", "PAM_SYSTEM_ERR"),
    "pam_get_item(3)": ("PAM_BAD_ITEM", "PAM_BUF_ERR", "PAM_PERM_DENIED", "PAM_SYSTEM_ERR"),
    "pam_get_user(3)": (
        *("PAM_ABORT", "PAM_BUF_ERR", "PAM_CONV_AGAIN", "PAM_CONV_ERR", "PAM_SYSTEM_ERR"),
    ),
    "pam_set_data(3)": ("PAM_BUF_ERR", "PAM_SYSTEM_ERR"),
    "read(2)": ("EAGAIN", "EBADF", "EFAULT", "EINTR", "EINVAL", "EIO", "EISDIR", "EWOULDBLOCK"),
    "setresuid(2)": ("EAGAIN", "EINVAL", "EPERM"),
    "stat(2)": (
        *("EACCES", "EBADF", "EFAULT", "EINVAL", "ELOOP", "ENAMETOOLONG", "ENOENT", "ENOMEM"),
        *("ENOTDIR", "EOVERFLOW"),
    ),
}
# Debian sid has pages of their own for some operations of keyctl(2); only newer
# pages of mkdir(2) name EOVERFLOW.
NOT_ON_EVERY_PAGE = {
    "keyctl(2)": {
        *("EAGAIN", "EDEADLK", "EEXIST", "EFAULT", "ELOOP", "EMSGSIZE", "ENFILE", "ENOENT"),
        *("EOPNOTSUPP", "EPERM", "ETIMEDOUT"),
    },
    "mkdir(2)": {"EOVERFLOW"},
}
# On no page: a kernel without the call, and a seccomp(2) filter, which can return any errno.
OF_ANY_SYSTEM_CALL = ("ENOSYS", "EIO")

# The pages of each call, by its name in pamfault: for keyctl(2), with the number of the
# operation.
CALLS: dict[str, tuple[str, ...]] = {
    "add_key": ("add_key(2)",),
    "flock": ("flock(2)",),
    "keyctl 0": ("keyctl(2)", "keyctl_get_keyring_ID(3)"),
    "keyctl 1": ("keyctl(2)", "keyctl_join_session_keyring(3)"),
    "keyctl 3": ("keyctl(2)", "keyctl_revoke(3)"),
    "keyctl 5": ("keyctl(2)", "keyctl_setperm(3)"),
    "keyctl 6": ("keyctl(2)", "keyctl_describe(3)"),
    "keyctl 8": ("keyctl(2)", "keyctl_link(3)"),
    "keyctl 9": ("keyctl(2)", "keyctl_link(3)"),  # keyctl_unlink
    "keyctl 15": ("keyctl(2)", "keyctl_set_timeout(3)"),
    "keyctl 21": ("keyctl(2)", "keyctl_invalidate(3)"),
    "keyctl 22": ("keyctl(2)", "keyctl_get_persistent(3)"),
    "mmap": ("mmap(2)",),
    "munmap": ("mmap(2)",),
    "pam_get_data": ("pam_get_data(3)",),
    "pam_get_item": ("pam_get_item(3)",),
    "pam_get_user": ("pam_get_user(3)",),
    "pam_set_data": ("pam_set_data(3)",),
    "setresgid": ("setresuid(2)",),
    "setresuid": ("setresuid(2)",),
}


def names_of(call: str) -> list[str]:
    """The possible errnos of a call, by name."""
    names = {name for page in CALLS[call] for name in PAGES[page]}
    return sorted(names if call.startswith("pam_") else names | {*OF_ANY_SYSTEM_CALL})


def number(name: str) -> int:
    """The number of an errno, or of a code of PAM."""
    return _pam_codes()[name] if name.startswith("PAM_") else int(getattr(errno, name))


def _pam_codes() -> dict[str, int]:
    text = _PAM_TYPES.read_text()
    return {name: int(code) for name, code in re.findall(r"#define (PAM_\w+)\s+(\d+)\s", text)}
