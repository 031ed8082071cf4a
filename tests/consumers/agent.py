"""A process in a user's session that runs commands for a test, also after the logout.

    agent.py SOCKET

It leaves a process that answers on a Unix socket, and is itself the program of the login: it
ends at the end of its standard input.  A request is a line of JSON with a command for sh(1) and
its standard input; the answer is the output and the status.  Started with python3 -I.
"""

import json
import os
import socket
import subprocess
import sys

IDLE = 600  # seconds without a request: the test has ended


def answer(request: dict[str, str]) -> dict[str, object]:
    """Run a command."""
    done = subprocess.run(
        ["/bin/sh", "-c", request["command"]],
        input=request["input"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return {"output": done.stdout, "status": done.returncode}


def serve(listener: socket.socket) -> None:
    """Answer requests until an empty one arrives."""
    listener.settimeout(IDLE)
    while True:
        connection, _ = listener.accept()
        with connection, connection.makefile("rw") as stream:
            line = stream.readline()
            if not line.strip():
                return
            stream.write(json.dumps(answer(json.loads(line))) + "\n")


listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
if os.fork() == 0:
    os.setsid()
    null = os.open("/dev/null", os.O_RDWR)
    for descriptor in range(3):
        os.dup2(null, descriptor)
    try:
        serve(listener)
    finally:
        os._exit(0)
print("ready", flush=True)  # noqa: T201
sys.stdin.read()
