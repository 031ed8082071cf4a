"""What is to be known of the types of keys, keyrings(7).  Pure."""

import difflib

# What keyctl(1) can make of words alone.
_ADDED = ("user", "logon", "big_key", "keyring")

# Where keys of other types come from.
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

# Keyrings that the kernel, and nobody else, makes under these names.
_OF_THE_KERNEL = ("_ses", "_tid", "_pid", "_uid.", "_uid_ses.", "_persistent.", "_req.", ".")

LONGEST_TYPE = 31  # bytes; security/keys/keyctl.c
LONGEST_DESCRIPTION = 4095


def size(text: str) -> int:
    """How many bytes it has for the kernel."""
    return len(text.encode("utf-8", "surrogateescape"))


def fault(kind: str, description: str) -> str:
    """Why no key can have that type and description; "" where one can."""
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
    """Where such a key comes from, if not from keyctl(1); "" where that can add it."""
    if kind == "keyring":
        made = description.startswith(_OF_THE_KERNEL)
        return "keyrings of this name are the kernel's own" if made else ""
    if kind in _ADDED:
        return ""
    return _SOURCES.get(kind, "keyctl(1) has no way to add one that is known here")


def is_requested(kind: str) -> bool:
    """Whether the kernel has request-key(8) make such keys."""
    return _SOURCES.get(kind) == _UPCALL


def similar(kind: str) -> str:
    """A type that may have been meant by a word that is none, or ""."""
    return next(iter(difflib.get_close_matches(kind, _KNOWN, 1)), "")
