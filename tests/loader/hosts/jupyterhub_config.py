"""The hub of test_jupyterhub.py: the defaults, except for these settings."""

import os
import subprocess
from pathlib import Path

c = get_config()  # type: ignore[name-defined]  # noqa: F821
port, hub, proxy = (int(number) for number in os.environ["PORTS"].split())
scratch = os.environ["SCRATCH"]


def look(*_: object) -> None:
    """Write the state of the hub's own thread; before each server starts, and after it stopped.

    A process that this thread starts has its session keyring, and the system's Python.
    """
    ask = ["/usr/bin/python3", "-I", f"{scratch}/person.py"]
    with Path(scratch, "hub.seen").open("a") as seen:
        subprocess.run(ask, input=b"look\n", stdout=seen, check=True)


c.JupyterHub.bind_url = f"http://127.0.0.1:{port}"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{hub}"
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{proxy}"
c.ConfigurableHTTPProxy.command = os.environ["PROXY"].split()
c.ConfigurableHTTPProxy.pid_file = f"{scratch}/proxy.pid"
c.JupyterHub.data_files_path = os.environ["DATA"]
c.JupyterHub.db_url = f"sqlite:///{scratch}/hub.sqlite"
c.JupyterHub.cookie_secret = b"x" * 32
c.JupyterHub.authenticator_class = "jupyterhub.auth.PAMAuthenticator"
c.Authenticator.allow_all = True  # needed from 5 on
c.PAMAuthenticator.service = "jupyterhub"
c.PAMAuthenticator.open_sessions = True
c.JupyterHub.spawner_class = "jupyterhub.spawner.LocalProcessSpawner"
c.Spawner.cmd = [*os.environ["BEFORE"].split(), "/usr/bin/python3", "-I", os.environ["SERVER"]]
c.Spawner.environment = {"PERSON": os.environ["PERSON"], "LEFT": os.environ["LEFT"]}
c.Spawner.pre_spawn_hook = look
c.Spawner.post_stop_hook = look
