"""The words after the module's name in a PAM line, as Options.  Pure.

Nothing here touches the kernel or PAM, so every combination is tested without them.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .policies.words import Policy

_WORDS = frozenset(("debug", "force", "revoke"))


class Options:
    """What one PAM line asks for.

    `debug`, `force` and `revoke` are pam_keyinit(8)'s; `policy` is what the line asks for
    beyond them, if anything; `wrong` has a line for the log for each word that is not good.
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


def parse(line: list[str]) -> Options:
    """Read the words of a PAM line, in any order, repeated or not.

    An unknown word never fails a login: it is named in `wrong`, and otherwise it is as if
    it were not there.
    """
    asked = Options(debug="debug" in line, force="force" in line, revoke="revoke" in line)
    if not _WORDS.issuperset(line):
        from .policies import words  # here: most lines have no such word

        asked.policy, asked.wrong = words.read(line)
        asked.revoke = asked.policy.revoke != words.NEVER
    return asked
