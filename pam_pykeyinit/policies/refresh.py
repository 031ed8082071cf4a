"""PAM_REINITIALIZE_CRED and PAM_REFRESH_CRED for a line with `refresh`.

A screen locker, for example, calls them in a session that it has not opened, with a handle that
has no keyring.  Therefore the kernel's description decides: the session keyring in place must
belong to the user, and have the name that this line gives.
"""

from .. import log
from ..codes import PAM_IGNORE, PAM_SUCCESS
from ..failure import failed
from ..kernel import identity, keyctl, listing, procfs, syscalls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..log import Lines
    from ..user import User
    from .plan import Plan


def has_timeout(table: str, keyring: int) -> bool:
    """Whether a key has a timeout, according to the text of /proc/keys.  Pure.

    An uncertain answer counts as no, because this never starts a timeout.
    """
    row = listing.rows(table).get(keyring)
    return row is not None and row.expires not in ("perm", "expd")


class Refresh:
    """One call.  `made` is the serial number of the handle's keyring, 0 if it has none."""

    __slots__ = ("_code", "_made", "_plan", "_user")

    def __init__(self, plan: "Plan", user: "User", made: int) -> None:
        self._plan = plan
        self._user = user
        self._made = made
        self._code = PAM_IGNORE

    def run(self, say: "log.Say") -> int:
        """Restore missing links, and restart a running timeout.

        Returns PAM_IGNORE if the keyring is not ours.  Raises Failed, and NotRestored from
        identity.
        """
        lines: "Lines" = []
        try:
            identity.with_real_ids(self._user.uid, self._user.gid, lambda: self._run(lines))
        except syscalls.KernelError as error:
            what = f"the session keyring of {self._user.name} is not refreshed"
            raise failed(error, what) from error
        finally:
            for line in lines:
                say(*line)
        return self._code

    def _run(self, lines: "Lines") -> None:
        keyring = syscalls.get_keyring_id(syscalls.SESSION_KEYRING)
        kind, owner, _, _, name = keyctl.describe(keyring)
        mine = (kind, owner, name) == ("keyring", self._user.uid, self._plan.keyring_name())
        if not mine or self._made not in (0, keyring):
            lines.append((log.DEBUG, "session keyring %d is not ours to refresh", keyring))
            return
        self._plan.link_all(keyring, lines)
        if self._plan.grace and has_timeout(procfs.text("/proc/keys"), keyring):
            keyctl.set_timeout(keyring, self._plan.grace)
            lines.append(
                (log.DEBUG, "session keyring %d expires in %d s", keyring, self._plan.grace)
            )
        self._code = PAM_SUCCESS
