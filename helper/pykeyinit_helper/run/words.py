"""Parse the command line of `run` by hand: importing argparse would take too long."""

from pam_pykeyinit.log import printable
from pykeyinit_helper import decide
from pykeyinit_helper.become import Refused

_FLAGS = ("--revoke-on-exit", "--new-session", "--strict", "--quiet", "--debug", "--help")
_VALUES = ("--session", "--link", "--user", "--tag", "--credential", "--credential-timeout")
_SEE = "see pykeyinit-helper run --help"


class Words:
    """The options of `run`.  `program` is PROGRAM and its arguments.

    `credentials` has each NAME=FILE, `credential_timeout` is in seconds, 0 for none.
    """

    __slots__ = (
        "credential_timeout", "credentials", "debug", "help", "link", "name", "new_session",
        "program", "quiet", "revoke_on_exit", "session", "strict", "tag", "user",
    )  # fmt: skip

    def __init__(self) -> None:
        self.session = decide.FALLBACK
        self.name = ""
        self.link: tuple[str, ...] | None = None
        self.user: str | None = None
        self.tag: str | None = None
        self.credentials: list[str] = []
        self.credential_timeout = 0
        self.new_session = False
        self.revoke_on_exit = self.strict = self.quiet = self.debug = self.help = False
        self.program: list[str] = []


def read(arguments: "list[str]") -> Words:
    """Parse options up to `--` or the first other word.  Raises Refused."""
    words = Words()
    rest = list(reversed(arguments))
    while rest and rest[-1].startswith("-"):
        option = rest.pop()
        if option == "--":
            break
        name, equals, value = option.partition("=")
        if option == "-h":
            words.help = True
        elif name in _FLAGS and not equals:
            setattr(words, name[2:].replace("-", "_"), True)
        elif name in _VALUES:
            if not equals:
                if not rest:
                    raise Refused(f"{name} needs a value; {_SEE}")
                value = rest.pop()
            take(words, name, value)
        else:
            raise Refused(f"unknown option: {printable(option[:64])}; {_SEE}")
    words.program = rest[::-1]
    _check(words)
    return words


def take(words: Words, option: str, value: str) -> None:
    """Set the value of an option in `words`.  Raises Refused."""
    if option == "--user":
        words.user = value
    elif option == "--tag":
        if not is_tag(value):
            raise Refused("--tag needs a printable text of at most 1024 characters")
        words.tag = value
    elif option == "--link":
        words.link = _links(value)
    elif option == "--credential":
        words.credentials.append(value)
    elif option == "--credential-timeout":
        words.credential_timeout = _seconds(value)
    else:
        kind, equals, name = value.partition("=")
        if equals and kind == "name":
            words.session, words.name = decide.NAMED, session_name(name)
        elif value in (decide.FALLBACK, decide.KEEP, decide.NEW, decide.USER_SESSION):
            words.session, words.name = value, ""
        else:
            say = f"--session is keep, new, user-session or name=NAME, not {printable(value[:64])}"
            raise Refused(f"{say}; {_SEE}")


def _seconds(value: str) -> int:
    from pam_pykeyinit.policies import words

    found = words.seconds(value)
    if found is None:
        raise Refused("--credential-timeout is a time such as 90, 10m, 2h or 1d")
    return found


def _links(value: str) -> "tuple[str, ...]":
    if value == "none":
        return ()
    links = tuple(value.split(","))
    for link in links:
        if link not in decide.LINKS:
            known = ",".join(decide.LINKS)
            raise Refused(f"--link is none, or any of {known}, not {printable(link[:64])}; {_SEE}")
    return links


def is_tag(text: object) -> bool:
    """Whether this can be a tag: 1 to 1024 printable characters."""
    return isinstance(text, str) and 0 < len(text) <= 1024 and text.isprintable()


def session_name(name: str) -> str:
    """A name that keyctl_join_session_keyring(3) accepts, and that is not reserved.

    The same names as for the PAM option `name`.  Raises Refused.
    """
    from pam_pykeyinit.policies import naming

    if naming.refusal(name):
        if name[:1] in (".", "_"):
            raise Refused(f"such names are reserved for the kernel: {printable(name[:64])}")
        raise Refused("the NAME of a session keyring has 1 to 4095 bytes")
    return name


def _check(words: Words) -> None:
    if words.help:
        return
    if not words.program:
        raise Refused(f"no PROGRAM to run; {_SEE}")
    if words.session == decide.FALLBACK and (words.revoke_on_exit or words.credentials):
        words.session = decide.NEW
    if words.credentials and words.session != decide.NEW:
        raise Refused("--credential needs a session keyring of the program alone: --session new")
    if words.credential_timeout and not words.credentials:
        raise Refused("--credential-timeout needs --credential")
    if words.revoke_on_exit and words.session in (decide.KEEP, decide.USER_SESSION):
        raise Refused("--revoke-on-exit revokes what it made: it needs --session new or name=")
