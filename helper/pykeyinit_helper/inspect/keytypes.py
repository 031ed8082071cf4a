"""Facts about the types of keys, keyrings(7).  Pure."""

import difflib

# Types that keyctl(1) can add from words.
_ADDED = ("user", "logon", "big_key", "keyring")

# The origin of keys of other types.
_UPCALL = "the kernel requests keys of this type from request-key(8): see /etc/request-key.d"
_SOURCES = {
    "asymmetric": "they are certificates in DER, for keyctl padd",
    "ceph": "mount.ceph(8) and rbd(8) add them",
    "cifs.idmap": _UPCALL,
    "cifs.spnego": _UPCALL,
    "dns_resolver": _UPCALL,
    "encrypted": "they are made with a master key: see encrypted in keyctl(1)",
    "id_legacy": _UPCALL,
    "id_resolver": _UPCALL,
    "rxrpc": "aklog and the like add them",
    "trusted": "the TPM makes them: see trusted in keyctl(1)",
}

_KNOWN = (*_ADDED, *_SOURCES)

# Names of keyrings that only the kernel creates.
_OF_THE_KERNEL = ("_ses", "_tid", "_pid", "_uid.", "_uid_ses.", "_persistent.", "_req.", ".")

LONGEST_TYPE = 31  # bytes; security/keys/keyctl.c
LONGEST_DESCRIPTION = 4095


def size(text: str) -> int:
    """The number of bytes of a text for the kernel."""
    return len(text.encode("utf-8", "surrogateescape"))


def fault(kind: str, description: str) -> str:
    """Why no key can have that type and description, or ""."""
    if kind.startswith("."):
        return "types that begin with a dot are the kernel's own, and are not requested"
    if size(kind) > LONGEST_TYPE:
        return f"no type is longer than {LONGEST_TYPE} bytes"
    if size(description) > LONGEST_DESCRIPTION:
        return f"no description is longer than {LONGEST_DESCRIPTION} bytes"
    if kind == "logon" and description.find(":") < 1:
        return "keys of type logon are named SERVICE:NAME"
    return ""


def source(kind: str, description: str) -> str:
    """The origin of such a key, or "" if keyctl(1) can add it."""
    if kind == "keyring":
        made = description.startswith(_OF_THE_KERNEL)
        return "keyrings of this name are the kernel's own" if made else ""
    if kind in _ADDED:
        return ""
    return _SOURCES.get(kind, "keyctl(1) has no way to add one that is known here")


def is_requested(kind: str) -> bool:
    """Whether the kernel starts request-key(8) to create such keys."""
    return _SOURCES.get(kind) == _UPCALL


def similar(kind: str) -> str:
    """A type with a similar name, or ""."""
    return next(iter(difflib.get_close_matches(kind, _KNOWN, 1)), "")
