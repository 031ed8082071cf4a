"""runner.py PLAN: run scenarios on this machine, a line of JSON for each, on stdout.

It runs as root in the machine, with the Python of any suite from 3.9 on, and needs nothing
else.  PLAN is JSON: what harness/plan.py writes.
"""

from __future__ import annotations

import json
import os
import platform
import pwd
import subprocess
import sys
import sysconfig
import time
import traceback
from pathlib import Path
from typing import Any, Dict, List

sys.path.insert(0, str(Path(__file__).parent))

import journal
import keyrings
import latency
import stacks
from ways import SPOOL, WAYS, CannotRun, Scenario, Started

Record = Dict[str, Any]
HAS_SYSTEMD = Path("/run/systemd/system").exists()


def say(kind: str, **record: Any) -> None:
    """One line of the result."""
    print(json.dumps({"kind": kind, **record}), flush=True)


class Attempt:
    """One scenario with one loader: from before anybody comes to after all have left."""

    def __init__(self, scenario: Scenario, loader: str, patience: float) -> None:
        self._scenario = scenario
        self._patience = patience
        self._leaves = scenario.get("left", True)
        self._tags = [f"{loader}.{scenario['name']}.{n}" for n in range(scenario.get("times", 1))]
        try:
            self._uid: int | None = pwd.getpwnam(scenario["user"]).pw_uid
        except KeyError:
            self._uid = None

    def run(self) -> Record:
        """What was observed."""
        earlier = self._live()
        started = self._start()
        statuses = [one.finish(self._patience) for one in started]
        seen = [self._seen(tag) for tag in self._tags]
        came = [one for one in seen if one is not None]
        return {
            "statuses": statuses,
            "logins": len(came),
            "seen": came,
            "after": [self._after(tag, one) for tag, one in zip(self._tags, seen) if one],
            "remains": self._remaining(earlier),
            "said": "\n".join(one.said for one in started)[-2000:],
        }

    def _start(self) -> List[Started]:
        """Start all, and let nobody leave before everybody is in who is to be there."""
        scenario = self._scenario
        at_once = scenario.get("at_once", False)
        started = []
        for tag in self._tags:
            for file in SPOOL.glob(f"{tag}*"):
                file.unlink()
            if at_once:
                (SPOOL / f"{tag}.hold").touch()
            probe = f"/vm/probe.sh {tag} {'left' if self._leaves else ''}".strip()
            started.append(WAYS[scenario["way"]](scenario, probe))
            if not at_once or scenario.get("master"):
                self._wait(tag, started[-1])
        for tag, one in zip(self._tags, started):
            self._wait(tag, one)
        for tag in self._tags:
            (SPOOL / f"{tag}.hold").unlink(missing_ok=True)
        return started

    def _wait(self, tag: str, one: Started) -> None:
        """Until the probe has written, or nobody comes any more."""
        end = time.monotonic() + self._patience
        grace = self._scenario.get("grace", 0)  # seconds after the end of what was started
        while not (SPOOL / tag).exists() and time.monotonic() < end:
            if one.process.poll() is not None:
                end = min(end, time.monotonic() + grace)
                grace = self._patience
            time.sleep(0.2)

    def _seen(self, tag: str) -> keyrings.Seen | None:
        file = SPOOL / tag
        return keyrings.parse(file.read_text()) if file.exists() else None

    def _after(self, tag: str, seen: keyrings.Seen) -> str:
        """What became of a session keyring: as who stayed has it, or by /proc/keys."""
        if not self._leaves:
            end = time.monotonic() + self._patience
            while seen.get("serial") in self._live() and time.monotonic() < end:
                time.sleep(0.2)
            return "live" if seen.get("serial") in self._live() else "gone"
        left = SPOOL / f"{tag}.left"
        wait = 20 if self._scenario["expect"].get("after") == "revoked" else 2
        (SPOOL / f"{tag}.part").write_text(f"{wait}\n")
        (SPOOL / f"{tag}.part").rename(SPOOL / f"{tag}.ask")
        end = time.monotonic() + self._patience
        while not left.exists():
            if time.monotonic() > end:
                return "who stayed behind does not answer"
            time.sleep(0.2)
        session = str(keyrings.parse(left.read_text()).get("session", ""))
        if "Key has been revoked" in session:
            return "revoked"
        return "live" if session.startswith("keyring;") else session

    def _remaining(self, earlier: set[int]) -> int:
        """How many live keyrings are left; the kernel needs a moment to let go of one.

        systemd's manager of a user has one for as long as it runs, which is no leak: where it
        has come with the user, its end is waited for; see vagrant-user.sh.
        """
        end = time.monotonic() + (self._patience if HAS_SYSTEMD else 10)
        while self._live() - earlier and time.monotonic() < end:
            time.sleep(0.5)
        return len(self._live() - earlier)

    def _live(self) -> set[int]:
        if self._uid is None:
            return set()
        return {ring["serial"] for ring in keyrings.of_user(self._uid) if not ring["revoked"]}


def installed() -> Dict[str, str]:
    """What of ours, and of what we need, lies where; by the names that scenarios use."""
    patterns = {
        "pam_unix": "lib/*/security/pam_unix.so",
        "so": "lib/*/security/pam_pykeyinit.so",
        "script": "lib/security/pam_pykeyinit.py",
        "package": "usr/**/dist-packages/pam_pykeyinit",
        "python": "usr/lib/*/libpython3*.so.1.0",
    }
    found = {name: sorted(Path("/").glob(pattern)) for name, pattern in patterns.items()}
    paths = {name: str(files[0]) for name, files in found.items() if files}
    return {**paths, "stdlib": sysconfig.get_path("stdlib")}


def shell(snippet: str, loader: str) -> None:
    """Break or mend something; the snippet finds in its environment what lies where."""
    if not snippet:
        return
    folder = Path(INSTALLED["pam_unix"]).parent
    module = str(folder / stacks.LOADERS[loader].split()[0])
    done = subprocess.run(
        ["sh", "-euc", snippet], env={**os.environ, **INSTALLED, "module": module},
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    if done.returncode:
        raise CannotRun(f"the preparation failed: {(done.stdout + done.stderr).strip()[-300:]}")


INSTALLED = installed()


def attempt(plan: Record, scenario: Scenario, loader: str, log: Any) -> Record:
    """Run it between its preparation and its tidying."""
    mark = log.mark()
    begun = time.monotonic()
    try:
        try:
            shell(scenario.get("before", ""), loader)
            record = Attempt(scenario, loader, scenario.get("patience", plan["patience"])).run()
        finally:
            shell(scenario.get("afterwards", ""), loader)
    except CannotRun as reason:
        record = {"not_run": str(reason)}
    except Exception:  # the scenarios that follow are to run
        record = {"not_run": traceback.format_exc()[-600:]}
    lines = log.since(mark)
    record["log"] = journal.telling(lines)[:40]
    record["journal"] = lines[-60:]
    record["seconds"] = round(time.monotonic() - begun, 1)
    return record


def machine() -> Record:
    """What this machine is."""
    release = dict(
        line.split("=", 1)
        for line in Path("/etc/os-release").read_text().splitlines()
        if "=" in line
    )
    return {
        "system": release.get("PRETTY_NAME", "?").strip('"'),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "systemd": HAS_SYSTEMD,
        "users": {user.pw_name: [user.pw_uid, user.pw_gid] for user in pwd.getpwall()},
    }


def claims() -> Record:
    """What this kernel says of the manual pages' claims; or "wrong", why that is not known."""
    done = subprocess.run(
        [sys.executable, "-I", str(Path(__file__).with_name("claims.pyz")), "--json"],
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    if done.returncode:
        return {"wrong": (done.stdout + done.stderr)[-2000:]}
    told: Record = json.loads(done.stdout)
    return told


def settle() -> None:
    """Wait until nothing is starting any more, and who always has a manager has one."""
    waits = ["systemctl", "is-system-running", "--wait"]
    subprocess.run(waits, capture_output=True, check=False)
    for user in Path("/var/lib/systemd/linger").iterdir():
        # Its start at boot may have taken too long.
        manager = f"user@{pwd.getpwnam(user.name).pw_uid}.service"
        subprocess.run(["systemctl", "start", manager], capture_output=True, check=False)


def main() -> None:
    """Run the plan."""
    plan = json.loads(Path(sys.argv[1]).read_text())
    if plan.get("claims"):
        say("claims", **claims())
        return
    SPOOL.mkdir(mode=0o1777, exist_ok=True)
    SPOOL.chmod(0o1777)
    if HAS_SYSTEMD:
        settle()
    say("machine", **machine())
    log: Any = journal.Journald() if HAS_SYSTEMD else journal.DevLog()
    if not HAS_SYSTEMD:
        subprocess.run(["ssh-keygen", "-A"], capture_output=True, check=False)
        for daemon in (["/usr/sbin/sshd"], ["/usr/sbin/atd"]):
            if Path(daemon[0]).exists():
                subprocess.run(daemon, check=True)
    usable = [loader for loader in plan["loaders"] if loader not in plan.get("cannot", {})]
    for loader in usable:
        stacks.install(loader)
        for scenario in plan["scenarios"]:
            if loader not in scenario["loaders"]:
                continue
            say("begin", scenario=scenario["name"], loader=loader)
            record = attempt(plan, scenario, loader, log)
            say("result", scenario=scenario["name"], loader=loader, **record)
    if plan["latency"]:
        measured = latency.measure(usable, plan["latency"], lambda n: say("round", number=n))
        say("latency", **measured)
    stacks.restore()
    say("end")


if __name__ == "__main__":
    main()
