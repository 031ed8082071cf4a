"""The words after the module's name in a PAM line, as Options.  Pure.

Nothing here touches the kernel or PAM, so every combination is tested without them.
"""

_WORDS = ("debug", "force", "revoke")


class Options:
    """What one PAM line asks for.  The words and their meaning are pam_keyinit(8)'s."""

    __slots__ = ("debug", "force", "revoke", "unknown")

    def __init__(
        self,
        *,
        debug: bool = False,
        force: bool = False,
        revoke: bool = False,
        unknown: tuple[str, ...] = (),
    ) -> None:
        self.debug = debug
        self.force = force
        self.revoke = revoke
        self.unknown = unknown


def parse(words: list[str]) -> Options:
    """Read the words of a PAM line, in any order, repeated or not.

    An unknown word never fails a login: it is kept in `unknown` to be named in the log,
    and otherwise it is as if it were not there.
    """
    return Options(
        debug="debug" in words,
        force="force" in words,
        revoke="revoke" in words,
        unknown=tuple(word for word in words if word not in _WORDS),
    )
