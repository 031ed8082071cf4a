"""A session keyring with a name, that several programs share: `run --session name=`.

Logins share such keyrings too, so this takes the lock of lock.py, which only root can take.  Two
programs of ordinary users that start at the same instant may create two keyrings; then both
join the older one.
"""

from pam_pykeyinit.policies import lock, naming

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pam_pykeyinit.log import Lines


class Shared:
    """A keyring to join or create, as the user of this uid."""

    __slots__ = ("_name", "_lines", "_lock", "_uid")

    def __init__(self, name: str, uid: int) -> None:
        """Open the lock, which only root can; take() may run as the user."""
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
        """Join again: now all keyrings are searchable, and the kernel finds the first one."""
        if wrong or not made:
            return serial, wrong, made
        found, wrong, _ = naming.take(self._name, self._uid, make=True)
        return found, wrong, found == serial

    def steps(self) -> "list[str]":
        """Lines for --debug: why there was no lock."""
        return [str(line[1]) for line in self._lines]
