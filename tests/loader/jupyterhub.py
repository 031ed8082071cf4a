"""A JupyterHub on loopback, and its users, over HTTP."""

import http.cookiejar
import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from loader.hubs import Installation

from support import mounts

HERE = Path(__file__).parent
PERSON = HERE.parent / "logins/person.py"
PATIENCE = 40


def _free_ports() -> str:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    ports = [str(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return " ".join(ports)


class Hub:
    """A hub, from `Hub(...)` to `stop`.  `before` is the start of the servers' command."""

    def __init__(
        self, installed: Installation, services: Path, scratch: Path, before: str
    ) -> None:
        self.scratch = scratch
        self.left = scratch / "left"
        self.left.mkdir()
        self.left.chmod(0o1777)
        for file in (PERSON, HERE / "hosts/jupyterhub_server.py"):
            shutil.copy(file, scratch)  # the users may be unable to read the tree
        ports = _free_ports()
        self.url = f"http://127.0.0.1:{ports.split()[0]}"
        environment = {
            **installed.environment,
            "PROXY": " ".join(installed.proxy),
            "DATA": str(installed.data),
            "PORTS": ports,
            "SCRATCH": str(scratch),
            "PERSON": str(scratch),
            "LEFT": str(self.left),
            "SERVER": str(scratch / "jupyterhub_server.py"),
            "BEFORE": before,
        }
        # A session keyring of its own, to distinguish it from a server's.
        command = ["keyctl", "session", "-", *installed.command]
        command += ["-f", str(HERE / "hosts/jupyterhub_config.py")]
        program = mounts.wrapper(scratch / "hub", {"/etc/pam.d": services}, *command)
        self._log = scratch / "hub.log"
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [program], cwd=scratch, env=environment, stdout=log, stderr=log
            )

    def seen(self) -> list[dict[str, Any]]:
        """The state of the hub's own thread, before each start and after each stop."""
        return [json.loads(line) for line in (self.scratch / "hub.seen").read_text().splitlines()]

    def log(self) -> str:
        """All messages of the hub."""
        return self._log.read_text()

    def left_by(self, user: str) -> dict[str, Any]:
        """The state of a process that outlived the user's server."""
        answer = self.left / f"left.{user}"
        Path(f"{answer}.ask").touch()
        return dict(json.loads(self._soon(lambda: answer.read_text() or None)))

    def stop(self) -> None:
        """End the hub, its proxy and its servers."""
        self._process.terminate()
        self._process.wait(PATIENCE)

    def _soon(self, ask: Any) -> Any:
        """Its answer, as soon as there is one."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            assert self._process.poll() is None, self.log()
            try:
                if (answer := ask()) is not None:
                    return answer
            except (OSError, ValueError):
                pass
            time.sleep(0.05)
        raise AssertionError(self.log())

    def login(self, user: str) -> "Visitor":
        """Log in, which starts the server."""
        visitor = Visitor(self.url, user)
        self._soon(lambda: visitor.get("/hub/login"))
        visitor.post("/hub/login?next=/hub/spawn", username=user, password="any")
        self._soon(lambda: visitor.ask("look"))
        return visitor


class Visitor:
    """A user's browser."""

    def __init__(self, url: str, user: str) -> None:
        self._url, self._user = url, user
        self._cookies = http.cookiejar.CookieJar()
        processor = urllib.request.HTTPCookieProcessor(self._cookies)
        self._opener = urllib.request.build_opener(processor)

    def get(self, path: str, method: str = "GET", data: bytes | None = None) -> str:
        """A page."""
        # The header of the hub's own pages, which other sites cannot send: from 4.1 on.
        headers = {"Referer": self._url + "/hub/home", "X-XSRFToken": self._token()}
        request = urllib.request.Request(self._url + path, data, headers, method=method)
        with self._opener.open(request, timeout=PATIENCE) as answer:
            return str(answer.read().decode())

    def _token(self) -> str:
        tokens = [cookie.value for cookie in self._cookies if cookie.name == "_xsrf"]
        return tokens[-1] or "" if tokens else ""

    def post(self, path: str, **form: str) -> str:
        """The page after a form is sent."""
        fields = {"_xsrf": self._token(), **form}
        return self.get(path, "POST", urllib.parse.urlencode(fields).encode())

    def ask(self, what: str) -> dict[str, Any]:
        """Get a report from the user's server."""
        return dict(json.loads(self.get(f"/user/{self._user}/{what}")))

    def stop(self) -> None:
        """Stop the server."""
        self.get(f"/hub/api/users/{self._user}/server", "DELETE")
