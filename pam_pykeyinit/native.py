"""The interface for pam_pykeyinit.so: the handlers and the PAM handle, as one Python object.

This loader contains the package in frozen form, and `libc` and `identity` in C.  Therefore each
import of the package is relative, or of a module that is built into Python.
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


class State(Handle):
    """The state that pam_pykeyinit.so keeps in a PAM handle; it stands for the handle, too.

    `ask` is a function of the loader.  For the number of an item, or the prompt for a user's
    name, it returns a text, or the code and the text of a PAM error.
    """

    __slots__ = ("_ask",)

    def __init__(self, ask: "Ask") -> None:
        self._ask = ask
        Handle.__init__(self)

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
        """The user's name; PAM prompts for it if it does not know it yet."""
        return self._answer(prompt)

    def _answer(self, what: "int | str") -> str:
        answer = self._ask(what)
        if isinstance(answer, str):
            return answer
        raise self.exception(*answer)

    @property
    def exception(self) -> "type[PamError]":
        """The exception for failures of libpam."""
        from .failure import PamError

        return PamError
