"""A replacement for pam_python's handle, for faults that a real one does not produce on demand."""


class PamError(Exception):
    """As pamh.exception."""

    def __init__(self, code: int) -> None:
        super().__init__("Conversation error")
        self.pam_result = code


class Pamh:
    """The parts of a handle that the module uses."""

    exception = PamError
    service = "sshd"
    tty = "ssh"
    rhost = "192.0.2.1"

    def __init__(self, user: str | BaseException) -> None:
        self._user = user

    def get_user(self, prompt: str) -> str:
        """The user, or the exception."""
        assert prompt == "key user"
        if isinstance(self._user, BaseException):
            raise self._user
        return self._user
