"""Replaces jupyterhub-singleuser: answers every request with its own state.

.../look    its session keyring, as person.py prints it
.../leave   the same from a process that outlives it: its answer is written to the file
            left.USER in $LEFT, whenever a file left.USER.ask appears there
"""

import http.server
import json
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, os.environ["PERSON"])  # isolated mode does not set it
import person  # type: ignore[import-not-found]

at = urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])


class Handler(http.server.BaseHTTPRequestHandler):
    """Accepts any path: the hub requests one of its own to check that the server is up."""

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
        """Log nothing."""


http.server.HTTPServer((at.hostname or "127.0.0.1", at.port or 80), Handler).serve_forever()
