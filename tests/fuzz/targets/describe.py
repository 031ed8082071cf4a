"""The description of a key in keyctl(2), which its creator chooses."""

import struct

from pam_pykeyinit.kernel import keyctl

MODULES = ("pam_pykeyinit.kernel.keyctl",)
WORDS = (";", ";;", "\n", "keyring", "user", ".request_key_auth", "\0", "_ses", "ä", "-1")

_IDS = struct.Struct("<III")


def check(data: bytes) -> None:
    """Parsing returns the fields that the kernel joins, with any content."""
    uid, gid, mask = _IDS.unpack(data[: _IDS.size].ljust(_IDS.size, b"\0"))
    kind, _, description = data[_IDS.size :].partition(b"\xff;")
    kind = kind.replace(b"\0", b"").replace(b";", b"") or b"user"
    description = description.replace(b"\0", b"")
    # keyctl_describe_key() in the kernel prints ids with %d: 2^31 and above are negative.
    reported = b"%s;%d;%d;%08x;%s" % (kind, _signed(uid), _signed(gid), mask, description)
    expected = (_text(kind), uid, gid, mask, _text(description))
    assert keyctl.fields(reported) == expected, (keyctl.fields(reported), expected)


def _signed(number: int) -> int:
    return number - 2**32 if number >= 2**31 else number


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")
