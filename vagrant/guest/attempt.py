"""One scenario with one loader, observed from before the logins until after the logouts."""

from __future__ import annotations

import pwd
import time
from pathlib import Path
from typing import Any, Dict, List

import keyrings
from ways import SPOOL, WAYS, Scenario, Started

Record = Dict[str, Any]
HAS_SYSTEMD = Path("/run/systemd/system").exists()


class Attempt:
    """One scenario with one loader: from before the logins until after the logouts."""

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
        """Run it, and return the observations."""
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
        """Start all logins; none ends before all expected ones have begun."""
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
        """Wait until the probe has written, or no login can come any more."""
        end = time.monotonic() + self._patience
        grace = self._scenario.get("grace", 0)  # seconds after the end of the started program
        while not (SPOOL / tag).exists() and time.monotonic() < end:
            if one.process.poll() is not None:
                end = min(end, time.monotonic() + grace)
                grace = self._patience
            time.sleep(0.2)

    def _seen(self, tag: str) -> keyrings.Seen | None:
        file = SPOOL / tag
        return keyrings.parse(file.read_text()) if file.exists() else None

    def _after(self, tag: str, seen: keyrings.Seen) -> str:
        """The state of a session keyring, from the process that stayed, or from /proc/keys."""
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
        """The number of remaining live keyrings; the kernel needs a moment to destroy one.

        A user's systemd manager has one while it runs, which is no leak: if the login started it,
        wait for its end; see vagrant-user.sh.
        """
        end = time.monotonic() + (self._patience if HAS_SYSTEMD else 10)
        while self._live() - earlier and time.monotonic() < end:
            time.sleep(0.5)
        return len(self._live() - earlier)

    def _live(self) -> set[int]:
        if self._uid is None:
            return set()
        return {ring["serial"] for ring in keyrings.of_user(self._uid) if not ring["revoked"]}
