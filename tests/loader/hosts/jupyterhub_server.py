"""Stands in for jupyterhub-singleuser: answers every request with what it sees.

.../look    its session keyring, as person.py tells it
.../leave   the same from a process that outlives it: its answer is written to the file
            left.USER in $LEFT, whenever a file left.USER.ask appears there
"""

import http.server
import json
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, os.environ["PERSON"])  # isolated mode leaves it to us
import person  # type: ignore[import-not-found]

at = urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])


class Handler(http.server.BaseHTTPRequestHandler):
    """Any path is fine: the hub asks for one of its own to see whether we are up."""

    def do_GET(self) -> None:  # noqa: N802  # http.server's name
        """Answer."""
        reported = {}
        if self.path.endswith("/look"):
            reported = person.look()
        elif self.path.endswith("/leave"):
            name = Path(os.environ["LEFT"]) / f"left.{os.environ['JUPYTERHUB_USER']}"
            reported = person.leave(str(name), "0")
        body = json.dumps(reported).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


http.server.HTTPServer((at.hostname or "127.0.0.1", at.port or 80), Handler).serve_forever()
