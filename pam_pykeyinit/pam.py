"""The PAM handle, as the service functions use it.  Only type checkers import this."""

from typing import Any, Protocol


class Pamh(Protocol):
    """The parts of pam_python's handle that are used.  Its repr() crashes: never log it."""

    @property
    def service(self) -> str | None:
        """PAM_SERVICE."""

    @property
    def tty(self) -> str | None:
        """PAM_TTY."""

    @property
    def rhost(self) -> str | None:
        """PAM_RHOST."""

    @property
    def exception(self) -> type[Any]:
        """The exception for failures of libpam; `pam_result` is the code."""

    def get_user(self, prompt: str) -> str | None:
        """pam_get_user(3)."""
