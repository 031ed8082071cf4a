"""The PAM handle, as the service functions see it.  For type checkers: no login imports it."""

from typing import Any, Protocol


class Pamh(Protocol):
    """What is used of pam_python's handle.  Its repr() crashes: never log it."""

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
        """What refusals of libpam are raised as; `pam_result` is the code."""

    def get_user(self, prompt: str) -> str | None:
        """pam_get_user(3)."""
