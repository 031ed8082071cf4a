"""What pam_pykeyinit.so needs of us: the handlers, and a PAM handle in Python's terms.

That loader gives the package a name of its own and brings its own `libc`, so inside of the
package everything is imported relative to it, and nothing but module.py has to be known.
"""

from .module import Handle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class PamError(Exception):
    """libpam refused something: `pam_result` is its code, str() its words."""

    def __init__(self, pam_result: int, words: str) -> None:
        super().__init__(words)
        self.pam_result = pam_result


class Pamh:
    """What the handlers use of pam_python's handle."""

    __slots__ = ("_ask", "service")

    exception = PamError

    def __init__(self, ask: "Callable[[str], str | tuple[int, str]]") -> None:
        self._ask = ask
        self.service: str | None = None

    def get_user(self, prompt: str) -> str:
        """The user's name, asked for with the prompt where PAM does not have it yet."""
        answer = self._ask(prompt)
        if isinstance(answer, str):
            return answer
        raise PamError(*answer)


class State:
    """What pam_pykeyinit.so keeps in a PAM handle."""

    __slots__ = ("_handle", "_pamh")

    def __init__(self, ask: "Callable[[str], str | tuple[int, str]]") -> None:
        self._handle = Handle()
        self._pamh = Pamh(ask)

    def call(self, handler: str, service: str, flags: int, argv: "list[str]") -> object:
        """Call a service function by its name; the loader looks at what it answers."""
        self._pamh.service = service
        return getattr(self._handle, handler)(self._pamh, flags, argv)

    def end(self) -> None:
        """The PAM handle is gone."""
        self._handle.pam_sm_end(self._pamh)
