"""What pam_pykeyinit.so needs of us: the handlers, and a PAM handle in Python's terms.

That loader gives the package a name of its own and brings its own `libc`, so inside of the
package everything is imported relative to it, and nothing but module.py has to be known.
"""

from .module import Handle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Handle", "Pamh"]


class PamError(Exception):
    """libpam refused something: `pam_result` is its code, str() its words."""

    def __init__(self, pam_result: int, words: str) -> None:
        super().__init__(words)
        self.pam_result = pam_result


class Pamh:
    """What the handlers use of pam_python's handle.  `service` is set for each call."""

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
