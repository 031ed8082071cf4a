"""What pam_pykeyinit.so needs of us: the handlers, and a PAM handle in Python's terms.

That loader has this package frozen into it, and `libc` and `identity` in C.  So inside of the
package every import is a relative one, or of a module that is built into Python.
"""

from .module import Handle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .failure import PamError

    Ask = Callable[[int | str], str | tuple[int, str]]

# security/_pam_types.h
_PAM_SERVICE = 1
_PAM_TTY = 3
_PAM_RHOST = 4


class Pamh:
    """What the handlers use of pam_python's handle.

    `ask` is the loader's: it answers an item's number, or the prompt for a user's name,
    with a text, or with PAM's code and words for what went wrong.
    """

    __slots__ = ("_ask",)

    def __init__(self, ask: "Ask") -> None:
        self._ask = ask

    @property
    def service(self) -> str:
        """PAM_SERVICE."""
        return self._answer(_PAM_SERVICE)

    @property
    def tty(self) -> str:
        """PAM_TTY, or an empty text."""
        return self._answer(_PAM_TTY)

    @property
    def rhost(self) -> str:
        """PAM_RHOST, or an empty text."""
        return self._answer(_PAM_RHOST)

    def get_user(self, prompt: str) -> str:
        """The user's name, asked for with the prompt where PAM does not have it yet."""
        return self._answer(prompt)

    def _answer(self, what: "int | str") -> str:
        answer = self._ask(what)
        if isinstance(answer, str):
            return answer
        raise self.exception(*answer)

    @property
    def exception(self) -> "type[PamError]":
        """What refusals of libpam are raised as."""
        from .failure import PamError

        return PamError


class State:
    """What pam_pykeyinit.so keeps in a PAM handle."""

    __slots__ = ("_handle", "_pamh")

    def __init__(self, ask: "Ask") -> None:
        self._handle = Handle()
        self._pamh = Pamh(ask)

    def call(self, handler: str, flags: int, argv: "list[str]") -> object:
        """Call a service function by its name; the loader looks at what it answers."""
        return getattr(self._handle, handler)(self._pamh, flags, argv)

    def has_keyring(self) -> bool:
        """Whether this handle has made a session keyring that it has not ended."""
        return self._handle.has_keyring()

    def end(self) -> None:
        """The PAM handle is gone."""
        self._handle.pam_sm_end(self._pamh)
