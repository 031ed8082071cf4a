"""Parse the options of a PAM line."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .policies.words import Policy

_WORDS = frozenset(("debug", "force", "revoke"))


class Options:
    """The options of one PAM line.

    `debug`, `force` and `revoke` are pam_keyinit(8)'s; `policy` has the other options, if the
    line has any; `wrong` has a line for the log for each invalid word.
    """

    __slots__ = ("debug", "force", "policy", "revoke", "wrong")

    def __init__(
        self,
        *,
        debug: bool = False,
        force: bool = False,
        revoke: bool = False,
        policy: "Policy | None" = None,
        wrong: tuple[str, ...] = (),
    ) -> None:
        self.debug = debug
        self.force = force
        self.revoke = revoke
        self.policy = policy
        self.wrong = wrong


# The last line and its options: most calls of a process are for one line.
_last: "tuple[list[str], Options]" = ([], Options())


def parse(line: list[str]) -> Options:
    """Parse the words of a PAM line, in any order, repeated or not.

    An unknown word never makes a login fail: it is added to `wrong`, and otherwise ignored.
    """
    global _last
    known, asked = _last
    if line == known:
        return asked
    asked = Options(debug="debug" in line, force="force" in line, revoke="revoke" in line)
    if not _WORDS.issuperset(line):
        from .policies import words  # here, because most lines have no such word

        asked.policy, asked.wrong = words.read(line)
        asked.revoke = asked.policy.revoke != words.NEVER
    _last = line, asked
    return asked
