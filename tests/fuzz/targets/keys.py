"""/proc/keys: the creator of a key chooses its description, with newlines, and others see it."""

from pam_pykeyinit.kernel import listing
from pam_pykeyinit.policies import refresh

MODULES = ("pam_pykeyinit.kernel.listing",)
WORDS = (
    "\n", "\r", "\x1c", "\u2028", "\0", "perm", "expd", "  1 ", "I--Q---", "IR-Q---", "3f030000",
    "\n00000002 I--Q---     1  10m 3f030000     0     0 keyring   _ses: 1",
    "\n7fffffff I--Q---     1 perm 3f010000     0     0 user      x",
    "00000001", "keyring   ", "user      ", "_ses: 1",
)  # fmt: skip

_TIMES = ("perm", "expd", "59s", "10m", "2h", "3d", "1w")
_FLAGS = ("I--Q---", "IR-Q---", "I-DQ---", "--UQN-i")


def check(data: bytes) -> None:
    """A row is true or ignored, and no other row is lost."""
    truth, table = {}, b""
    for number, part in enumerate(data.split(b"\0", 12)):
        chosen, description = part[:1] or b"\0", part[1:]
        serial = 1 + number * 0x1000
        expires = _TIMES[chosen[0] % len(_TIMES)]
        flags = _FLAGS[chosen[0] // 16 % len(_FLAGS)]
        truth[serial] = (flags, expires, _text(description))
        # proc_keys_show() in the kernel.
        table += b"%08x %s %5d %4s %08x %5d %5d %-9.9s " % (
            serial, flags.encode(), 1, expires.encode(), 0x3F010000, 0, 0, b"user",
        )  # fmt: skip
        table += description + b"\n"
    text = _text(table)
    rows = listing.rows(text)
    claims = [line[:8] for line in text.split("\n")]
    for serial, (flags, expires, whole) in truth.items():
        row = rows.get(serial)
        if row is not None:
            reported = (row.flags, row.expires, row.kind, row.text)
            assert reported == (flags, expires, "user", whole.split("\n")[0]), (serial, text)
        assert row is not None or claims.count(f"{serial:08x}") > 1, (serial, text)
        running = row is not None and expires not in ("perm", "expd")
        assert refresh.has_timeout(text, serial) is running, (serial, text)
    listing.rows(_text(data))  # text that is no table is read without an error


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")
