"""A PostgreSQL of Debian's packages, unpacked, with PAM authentication and functions in Python."""

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

from support import fetched, mounts, native, world
from support.drive import Driver

_NAMES = "^postgresql-plpython3-[0-9]+$"
_CONFIG = """
listen_addresses = ''
unix_socket_directories = '{folder}'
fsync = off
"""
_HBA = "local all alice trust\nlocal all all pam pamservice=postgresql\n"


def unpacked() -> Path:
    """The server, its client and the language; returns the folder of their programs."""
    found = subprocess.run(
        ["apt-cache", "search", "--names-only", _NAMES], capture_output=True, text=True, check=True
    )
    versions = re.findall(r"^postgresql-plpython3-(\d+)", found.stdout, re.MULTILINE)
    if not versions:
        world.skip("Debian's archive has no PostgreSQL with Python here")
    version = str(max(map(int, versions)))
    names = ("postgresql-", "postgresql-client-", "postgresql-plpython3-")
    where = fetched.debian("postgresql", *(name + version for name in names), "libpq5")
    return where / "usr/lib/postgresql" / version / "bin"


class Server:
    """A server of alice, from `Server(...)` to `stop`; bob authenticates through PAM."""

    def __init__(self, programs: Path, driver: Driver, stack: str) -> None:
        self._programs = programs
        self._folder = driver.scratch / "postgresql"
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir()
        shutil.chown(self._folder, "alice", "alice")
        libraries = programs.parents[3] / "lib" / native.MULTIARCH
        self._environment = {"PATH": "/usr/bin:/bin", "LD_LIBRARY_PATH": str(libraries)}
        as_alice = ["setpriv", "--reuid=alice", "--regid=alice", "--clear-groups"]
        data = self._folder / "data"
        self._run(*as_alice, programs / "initdb", "--no-sync", "-A", "trust", "-D", data)
        with (data / "postgresql.conf").open("a") as file:
            file.write(_CONFIG.format(folder=self._folder))
        (data / "pg_hba.conf").write_text(_HBA)
        services = driver.services(postgresql=stack)
        start = mounts.wrapper(driver.scratch / "start", {"/etc/pam.d": services}, *as_alice)
        self.log = driver.scratch / "postgresql.log"
        with self.log.open("w") as log:
            self._process = subprocess.Popen(
                [start, programs / "postgres", "-D", data],
                env=self._environment,
                cwd="/",
                stdout=log,
                stderr=log,
            )
        self._wait()

    def _run(self, *command: str | Path) -> str:
        done = subprocess.run(
            command, env=self._environment, cwd="/", capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _wait(self) -> None:
        """Wait until it accepts connections: the socket exists earlier, during the start."""
        state = self._folder / "data/postmaster.pid"
        for _ in range(1000):
            assert self._process.poll() is None, self.log.read_text()
            if state.exists() and "ready" in state.read_text().split():
                return
            time.sleep(0.02)
        raise AssertionError(self.log.read_text())

    def query(self, user: str, *statements: str) -> str:
        """The output of psql for some statements in one connection."""
        words = [f"--command={statement}" for statement in statements]
        self._environment["PGPASSWORD"] = "any"
        psql = self._programs / "psql"
        options = ["-X", "-q", "-A", "-t", "-h", str(self._folder), "-U", user, "-d", "postgres"]
        return self._run(psql, *options, *words)

    def stop(self) -> None:
        """End it, and wait for its end."""
        self._process.terminate()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.kill(self._process.pid, 9)
            self._process.wait()
