"""Findings about the process and its session keyring, for any key.  Pure."""

from collections.abc import Iterator

from pykeyinit_helper.inspect import mends
from pykeyinit_helper.inspect.case import DEAD, Case, Finding
from pykeyinit_helper.output import TOGETHER, Mend

ALLOW = "allow keyctl, add_key and request_key in the container's seccomp profile"


def refused(case: Case) -> Finding:
    """If keyctl(2) itself is refused."""
    if case.refused == "ENOSYS":
        text = "keyctl(2) does not exist here: a seccomp filter hides it, or the kernel has none"
    else:
        text = f"keyctl(2) is refused ({case.refused}) by a seccomp filter or a security module"
    said = f"{text}.  No program here sees a key."
    return Finding(f"refused-{case.refused}", said, administrator=ALLOW)


def filters(case: Case) -> Iterator[Finding]:
    """Other refused calls."""
    consequences = {
        "add_key": "keys cannot be added",
        "request_key": "programs cannot ask for keys by their names",
    }
    for call, name in case.filtered:
        text = (
            f"{call}(2) is refused ({name}) by a seccomp filter or a security module: "
            f"{consequences[call]}."
        )
        yield Finding(f"{call.replace('_', '-')}-refused", text, administrator=ALLOW)


def session(case: Case) -> Iterator[Finding]:
    """The state of the session keyring."""
    if case.session in DEAD:
        lost = "" if case.session == "EKEYEXPIRED" else "nothing is found through it, and "
        text = (
            f"The session keyring (@s) {DEAD[case.session]}: {lost}using it fails with "
            f"{case.session}."
        )
        yield Finding("session-dead", text, _when_asked(case))
    elif case.session == "foreign":
        text = (
            f"The session keyring (@s) belongs to {case.session_owner}, not to {case.user}: "
            f"it leads to the keys of {case.session_owner}."
        )
        yield Finding("session-foreign", text, _when_asked(case))
    elif case.session == "unknown":
        text = (
            "The session keyring (@s) gives no view permission: its owner and its content "
            "are unknown."
        )
        yield Finding("session-unknown", text, _when_asked(case))
    elif case.session == "stand-in":
        text = "There is no session keyring; the user-session keyring (@us) stands in for it."
        yield Finding("session-stand-in", text)
    elif case.session == "outer":
        text = (
            "The session keyring (@s) is the user-session keyring of the user namespace around "
            "this one: keys that are added to it as @s are lost."
        )
        yield Finding("session-outer", text)
    elif case.session == "none":
        text = "There is no session keyring, and not even a user-session keyring can be made."
        yield Finding("session-none", text)


def _when_asked(case: Case) -> Mend | None:
    return mends.new_session(case) if case.asked.anchor == "@s" else None


def quota(case: Case) -> Iterator[Finding]:
    """Whether keys can still be added."""
    if case.quota is None or case.has_room():
        return
    keys, most_keys, size, most_bytes = case.quota
    text = (
        f"The quota of {case.user} is used up ({keys} of {most_keys} keys, {size} of {most_bytes} "
        "bytes): keys cannot be added (EDQUOT)."
    )
    root = "root_" if case.user == "root" and not case.namespace else ""
    what, most = ("keys", most_keys) if keys >= most_keys else ("bytes", most_bytes)
    where = "on the host, as root" if case.namespace else "as root"
    if case.namespace:
        text += "  In a user namespace it is that of the user outside."
    yield Finding("quota", text, administrator=f"{where}: {raise_quota(root, what, most)}")


def raise_quota(root: str, what: str, most: int) -> str:
    """The command of sysctl(8) that doubles a limit."""
    return f"sysctl{TOGETHER}kernel.keys.{root}max{what}={2 * most}"


def namespace(case: Case) -> Iterator[Finding]:
    """A user namespace hides the user keyrings of outer ones."""
    if case.namespace:
        text = (
            "This process is in a user namespace, which has user keyrings (@u, @us) of its own: "
            "keys in the outer ones are out of reach."
        )
        yield Finding("user-namespace", text)
