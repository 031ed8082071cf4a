"""A Debian in a folder, with concurrent logins, and their results."""

import shutil
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from support import world
from support.drive import Driver

FEW = 5  # sessions of each loader that must be seen before and after an action
LOADERS = {name: f"session optional {line} force revoke" for name, line in world.LOADERS.items()}


@dataclass
class Seen:
    """One session: the errors of the login itself, and whether it had its keyring."""

    loader: str
    wrong: str
    own: bool


class System:
    """A system below a folder; `run` runs in it.  `mount` gives it a /proc until `stop`."""

    def __init__(self, root: Path, pamdrive: Path) -> None:
        self.root = root
        subprocess.run(["/bin/mount", "-t", "proc", "proc", root / "proc"], check=True)
        alice = f"alice:x:{world.uid('alice')}:{world.gid('alice')}::/:/bin/sh\n"
        with (root / "etc/passwd").open("a") as file:
            file.write(alice)
        scratch = root / "drive"
        scratch.mkdir()
        shutil.copy(pamdrive, scratch / "pamdrive")
        program = scratch / "in-chroot"
        program.write_text(f'#!/bin/sh\nexec /usr/sbin/chroot {root} /drive/pamdrive "$@"\n')
        program.chmod(0o755)
        self._driver = Driver(program, scratch)
        self._services = self._driver.services(
            **{name: f"session required pam_permit.so\n{line}" for name, line in LOADERS.items()}
        )

    @property
    def has_keyutils(self) -> bool:
        """Whether it has Python's keyutils, which `show`, `explain` and `try` use; sid has not."""
        return (self.root / "usr/lib/python3/dist-packages/keyutils").exists()

    def run(self, *command: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Run a command in it."""
        done = subprocess.run(
            ["/usr/sbin/chroot", self.root, *command],
            env={
                "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                "DEBIAN_FRONTEND": "noninteractive",
                "LC_ALL": "C.UTF-8",
            },
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def take(self, package: Path) -> str:
        """Copy a package into it; return its path there."""
        shutil.copy(package, self.root / "root")
        return f"/root/{package.name}"

    def session(self, loader: str) -> Seen:
        """Open and close a session of alice."""
        services = Path("/") / self._services.relative_to(self.root)
        script = f"start 0 {loader} alice\nopen 0\nclose 0\nend 0\n"
        try:
            outcome = self._driver.run(services, script)
        except AssertionError as wrong:  # it crashed
            return Seen(loader, f"{wrong}", own=False)
        opened = outcome.steps[1]
        own = "error" not in opened.session and opened.fields[1:] == (
            (world.uid("alice"), world.gid("alice"), "3f030000", "_ses")
        )
        return Seen(loader, "" if outcome.codes() == [0, 0] else f"{outcome.codes()}", own)

    def stop(self) -> None:
        """Unmount the folder."""
        subprocess.run(["/bin/umount", self.root / "proc"], check=True)


class LoginsAllTheWhile:
    """Sessions, one after the other with each loader, during an action."""

    def __init__(self, system: System, loaders: tuple[str, ...]) -> None:
        self._system = system
        self._loaders = loaders

    def during(self, what: Callable[[], object]) -> list[Seen]:
        """The sessions from some time before the action to some time after it."""
        seen: list[Seen] = []
        over = threading.Event()
        threads = [
            threading.Thread(target=self._log_in, args=(loader, seen, over))
            for loader in self._loaders
        ]
        for thread in threads:
            thread.start()
        try:
            self._wait_for(FEW, seen)
            what()
            self._wait_for(len(seen) + FEW, seen)
        finally:
            over.set()
            for thread in threads:
                thread.join()
        return seen

    def _log_in(self, loader: str, seen: list[Seen], over: threading.Event) -> None:
        while not over.is_set():
            seen.append(self._system.session(loader))

    def _wait_for(self, count: int, seen: list[Seen]) -> None:
        while len(seen) < count:
            threading.Event().wait(0.05)
