"""runner.py PLAN: run scenarios on this machine, a line of JSON for each, on stdout.

It runs as root in the machine, with the Python of any suite from 3.9 on, and needs nothing
else.  PLAN is JSON, written by harness/plan.py.
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
from typing import Any, Dict

sys.path.insert(0, str(Path(__file__).parent))

import checks
import journal
import latency
import stacks
from attempt import HAS_SYSTEMD, Attempt, Record
from ways import SPOOL, CannotRun, Scenario


def say(kind: str, **record: Any) -> None:
    """Print one line of the result."""
    print(json.dumps({"kind": kind, **record}), flush=True)


def installed() -> Dict[str, str]:
    """The paths of our files, and of those that we need; by the names that scenarios use."""
    patterns = {
        "pam_unix": "lib/*/security/pam_unix.so",
        "so": "lib/*/security/pam_pykeyinit.so",
        "inside": "lib/*/security/pam_pykeyinit_python.so",
        "script": "lib/security/pam_pykeyinit.py",
        "package": "usr/**/dist-packages/pam_pykeyinit",
        "python": "usr/lib/*/libpython3*.so.1.0",
    }
    found = {name: sorted(Path("/").glob(pattern)) for name, pattern in patterns.items()}
    paths = {name: str(files[0]) for name, files in found.items() if files}
    return {**paths, "stdlib": sysconfig.get_path("stdlib")}


def shell(snippet: str, loader: str) -> None:
    """Break or repair something; the snippet finds the paths in its environment."""
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
    """Run it between its preparation and its cleanup."""
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
    except Exception:  # the scenarios that follow must run
        record = {"not_run": traceback.format_exc()[-600:]}
    lines = log.since(mark)
    record["log"] = journal.telling(lines)[:40]
    record["journal"] = lines[-60:]
    record["seconds"] = round(time.monotonic() - begun, 1)
    return record


def machine() -> Record:
    """The properties of this machine."""
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


def settle() -> None:
    """Wait until the boot has ended, and users with a permanent manager have it."""
    waits = ["systemctl", "is-system-running", "--wait"]
    subprocess.run(waits, capture_output=True, check=False)
    for user in Path("/var/lib/systemd/linger").iterdir():
        # Its start at boot may have timed out.
        manager = f"user@{pwd.getpwnam(user.name).pw_uid}.service"
        subprocess.run(["systemctl", "start", manager], capture_output=True, check=False)


def main() -> None:
    """Run the plan."""
    plan = json.loads(Path(sys.argv[1]).read_text())
    if plan.get("claims"):
        say("claims", **checks.claims())
        if not plan["loaders"]:
            return
    log_people_in(plan)
    if plan.get("tests"):
        say("tests", **checks.tests(lambda line: say("line", text=line)))
    say("end")


def log_people_in(plan: Record) -> None:
    """Run the scenarios with each loader, and measure."""
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
    for loader in plan["loaders"]:
        stacks.install(loader)
        for scenario in plan["scenarios"]:
            if loader not in scenario["loaders"]:
                continue
            say("begin", scenario=scenario["name"], loader=loader)
            record = attempt(plan, scenario, loader, log)
            say("result", scenario=scenario["name"], loader=loader, **record)
    if plan["latency"]:
        rounds, each = plan["latency"], lambda number: say("round", number=number)
        measured = latency.measure(plan["loaders"], rounds, each)
        say("latency", **measured)
    stacks.restore()


if __name__ == "__main__":
    main()
