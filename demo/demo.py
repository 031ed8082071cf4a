"""Open real sessions through pam_pykeyinit and through pam_keyinit, and show both.

Run by `./setup demo` in the private world of build-aux/world.sh.  The host is runuser(1),
which opens a PAM session, runs the user's program in a child, and closes the session.
Everything that is shown is checked; the exit status is 0 if all checks passed.
"""

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import keyutils
import page

USER, OTHER = "alice", "bob"
MODULES = {
    "pam_pykeyinit.so": "session optional pam_pykeyinit.so force revoke",
    "pam_python.so": "session optional pam_python.so pam_pykeyinit.py force revoke",
    "pam_keyinit.so": "session optional pam_keyinit.so force revoke",
}
SERVICE = """\
auth     required pam_permit.so
account  required pam_permit.so
{line}
session  required pam_permit.so
"""
PERMISSIONS = 0x3F030000  # all for its possessor; view and read for its owner

Look = dict[str, Any]


class Login(NamedTuple):
    """The observations of one session."""

    status: int
    within: Look
    after: Look


class Host:
    """runuser, with its own PAM service files, and the log of this world."""

    def __init__(self, world: Path) -> None:
        """Mount a folder with the demo's files over /etc/pam.d."""
        self._pam = world / "pam.d"
        self._pam.mkdir()
        (self._pam / "other").write_text("auth required pam_deny.so\n")
        subprocess.run(["mount", "--bind", self._pam, "/etc/pam.d"], check=True)
        self._look = world / "look.py"  # where the user can read it
        shutil.copy(Path(__file__).with_name("look.py"), self._look)
        self._log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._log.bind(str(world / "log"))
        self._log.setblocking(False)  # noqa: FBT003

    def login(self, line: str) -> Login:
        """One session with this line in its stack, from start to end."""
        for service in ("runuser", "runuser-l"):
            (self._pam / service).write_text(SERVICE.format(line=line))
        command = f"exec /usr/bin/python3 -I {self._look}"
        with subprocess.Popen(
            ["runuser", USER, "--shell=/bin/sh", f"--command={command}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd="/",
        ) as runuser:
            assert runuser.stdin and runuser.stdout  # noqa: PT018, S101
            within = runuser.stdout.readline()
            status = runuser.wait()  # the session is closed; the background process waits
            runuser.stdin.write(b"look\n")
            runuser.stdin.flush()
            after = runuser.stdout.readline()
        if not (within and after):
            for entry in self.logged():
                page.put(f"logged  {entry}")
            sys.exit(f"demo: nothing seen; runuser gave {status} with this line: {line}")
        return Login(status, json.loads(within), json.loads(after))

    def two_sessions(self, line: str, other: str) -> Look:
        """A session of the user, and inside it one of `other`, in one process."""
        (self._pam / "demo").write_text(SERVICE.format(line=line))
        script = Path(__file__).with_name("two_sessions.py")
        command = ["/usr/bin/python3", "-I", str(script), "demo", USER, other]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
        seen: Look = json.loads(done.stdout)
        return seen

    def logged(self) -> Iterator[str]:
        """The log lines of the modules."""
        try:
            while True:
                yield self._log.recv(4096).decode(errors="replace")
        except BlockingIOError:
            return


class Promises:
    """The promises that must hold; broken ones are kept, to be reported."""

    def __init__(self) -> None:
        """Nothing has been checked yet."""
        self.kept = 0
        self.broken: list[str] = []

    def check(self, promise: str, *, seen: object, wanted: object) -> None:
        """Count it, or record what was seen instead."""
        if seen == wanted:
            self.kept += 1
        else:
            self.broken.append(f"{promise}: {seen!r}, not {wanted!r}")


def check_before(promises: Promises, login: Login, host_keyring: int) -> None:
    """Without a module, a user's process has the keyring of its parent."""
    seen = login.within["session"]
    promises.check("before: the session keyring", seen=seen["serial"], wanted=host_keyring)
    promises.check("before: its owner", seen=seen["owner"], wanted=0)
    promises.check("before: a search", seen=login.within["through_session"], wanted="ENOKEY")


def check_login(promises: Promises, name: str, login: Login, earlier: set[int]) -> None:
    """The properties of a session keyring, inside the session and afterwards."""
    user = pwd.getpwnam(USER)
    ids = [user.pw_uid] * 3 + [user.pw_gid] * 3
    ring = login.within["session"]
    link = (ring.get("links") or [{}])[0]
    for what, seen, wanted in (
        ("runuser's exit status", login.status, 0),
        ("the ids of the process inside", login.within["ids"], ids),
        ("a new session keyring", ring.get("serial", 0) not in {0, *earlier}, True),
        ("its name", ring.get("name"), "_ses"),
        ("its owner", (ring.get("owner"), ring.get("group")), (user.pw_uid, user.pw_gid)),
        ("its permissions", ring.get("permissions"), PERMISSIONS),
        ("links in it", len(ring.get("links", [])), 1),
        ("the one link", link.get("name"), f"_uid.{user.pw_uid}"),
        ("the owner of the user keyring", link.get("owner"), user.pw_uid),
        ("the key in @u, through @s", login.within["through_session"], "green"),
        ("the ids of the process left behind", login.after["ids"], ids),
        ("its session keyring, after close", login.after["session"], {"error": "EKEYREVOKED"}),
        ("the key in @u, after close", login.after["in_user_keyring"], "still there"),
    ):
        promises.check(f"{name}: {what}", seen=seen, wanted=wanted)


def traits(login: Login) -> dict[str, str]:
    """The common properties of the modules' keyrings, in words."""
    ring = login.within["session"]
    return {
        "name": str(ring.get("name")),
        "owner and group": page.owner(ring),
        "permissions": page.hexadecimal(ring),
        "linked into it": " ".join(page.short(link) for link in ring.get("links", [])),
        "key in @u through @s": login.within["through_session"],
        "@s after close": login.after["session"].get("error", "still alive"),
        "key in @u after close": login.after["in_user_keyring"],
    }


def differences(host: Host, line: str) -> dict[str, str]:
    """The intended differences from pam_keyinit, in words."""
    both, other = host.two_sessions(line, USER), host.two_sessions(line, OTHER)
    tuple(host.logged())
    host.login(line.replace("revoke", "revok"))
    named = any("revok" in entry for entry in host.logged())
    return {
        f"{OTHER}'s session inside {USER}'s has": f"{other['second is']}'s keyring",
        f"a second session of {USER} has": "its own" if both["two keyrings"] else "the first's",
        "closing the first revokes its keyring": page.yes(both["first is revoked at its close"]),
        "`revok` in the PAM line": "named in the log" if named else "nothing is logged",
    }


# The behaviour of pam_pykeyinit; pam_pykeyinit(8) lists it under DIFFERENCES.
DIFFERENT = (f"{OTHER}'s keyring", "its own", "yes", "named in the log")


def main() -> int:
    """Show it all; return 0 if every promise holds."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # end quietly under head(1)
    try:
        host_keyring = keyutils.join_session_keyring()
    except keyutils.Error as error:
        sys.exit(f"demo: no keyrings: {error.args[1]}: containers usually forbid them")
    host, promises = Host(Path(os.environ["WORLD"])), Promises()
    page.introduction(USER)
    before = host.login("")
    check_before(promises, before, host_keyring)
    page.before(before.within, USER)

    earlier, shown = {host_keyring}, {}
    for name, line in MODULES.items():
        login = host.login(line)
        check_login(promises, name, login, earlier)
        earlier.add(login.within["session"].get("serial", 0))
        page.session(name, line, login.within, login.after)
        shown[name] = traits(login)
    page.comparison(shown)
    oracle = shown.pop("pam_keyinit.so")
    for name, ours in shown.items():
        for trait, seen in ours.items():
            promises.check(f"{name}: as pam_keyinit: {trait}", seen=seen, wanted=oracle[trait])
    unlike = {
        name: differences(host, MODULES[name]) for name in ("pam_pykeyinit.so", "pam_keyinit.so")
    }
    page.differences(unlike)
    for (what, seen), wanted in zip(unlike["pam_pykeyinit.so"].items(), DIFFERENT, strict=True):
        promises.check(f"differences: {what}", seen=seen, wanted=wanted)
    page.verdict(promises.kept, promises.broken, list(host.logged()) if promises.broken else [])
    return 1 if promises.broken else 0


if __name__ == "__main__":
    sys.exit(main())
