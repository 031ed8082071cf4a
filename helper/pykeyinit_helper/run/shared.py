"""A session keyring with a name, that several programs share: `run --session name=`.

Logins share such keyrings as well, so the turns in which they are made are those of lock.py.
They are root's to take.  Others may be just as far as somebody else, see two keyrings for a
moment, and then share the older one.
"""

from pam_pykeyinit.policies import lock, naming

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pam_pykeyinit.log import Lines


class Shared:
    """One that is to be joined or made, by the user of this uid."""

    __slots__ = ("_name", "_lines", "_lock", "_uid")

    def __init__(self, name: str, uid: int) -> None:
        """Open what only root can open; take() may be the user's."""
        self._name = name
        self._uid = uid
        self._lines: "Lines" = []
        self._lock = lock.Lock(uid, f"uid {uid}", name, self._lines)

    def take(self) -> "tuple[int, str, bool]":
        """As naming.take().  Raises KernelError, and NotRestored."""
        try:
            return naming.take(self._name, self._uid, make=False)
        except naming.NotFound:
            with self._lock as alone:
                taken = naming.take(self._name, self._uid, make=True)
                return taken if alone else self._oldest(*taken)
        finally:
            self._lock.close()

    def _oldest(self, serial: int, wrong: str, made: bool) -> "tuple[int, str, bool]":
        """By now all have made theirs searchable, and the kernel finds the first."""
        if wrong or not made:
            return serial, wrong, made
        found, wrong, _ = naming.take(self._name, self._uid, make=True)
        return found, wrong, found == serial

    def steps(self) -> "list[str]":
        """What --debug tells: why there was no turn."""
        return [str(line[1]) for line in self._lines]
