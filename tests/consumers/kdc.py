"""A private Kerberos realm for tests: a KDC on loopback, with one user."""

import contextlib
import socket
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from logins.sshd import wait_for

from support import native

REALM = "EXAMPLE.TEST"
USER = "alice"
PASSWORD = "correct horse"

CLIENT = """\
[libdefaults]
    default_realm = {realm}
    dns_lookup_kdc = false
    dns_lookup_realm = false
    dns_canonicalize_hostname = false
[realms]
    {realm} = {{
        kdc = 127.0.0.1:{port}
    }}
"""
SERVER = """\
[kdcdefaults]
    kdc_listen = 127.0.0.1:{port}
    kdc_tcp_listen = 127.0.0.1:{port}
[realms]
    {realm} = {{
        database_name = {folder}/principal
        key_stash_file = {folder}/stash
        acl_file = {folder}/acl
        max_renewable_life = 7d
    }}
[dbmodules]
    db_module_dir = {modules}
"""


class Kdc:
    """A running KDC; the user can read `keytab`, which holds the user's key."""

    def __init__(self, folder: Path) -> None:
        self.keytab = folder / "user.keytab"


@contextlib.contextmanager
def running(
    folder: Path, packages: Path, client: Path, environment: Mapping[str, str]
) -> Iterator[Kdc]:
    """A KDC until the end of the block; `client` becomes krb5.conf(5)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    modules = packages / "usr/lib" / native.MULTIARCH / "krb5/plugins/kdb"
    client.write_text(CLIENT.format(realm=REALM, port=port))
    server = SERVER.format(realm=REALM, port=port, folder=folder, modules=modules)
    (folder / "kdc.conf").write_text(server)
    environment = {**environment, "KRB5_KDC_PROFILE": str(folder / "kdc.conf")}
    kdc = Kdc(folder)

    def do(*words: str) -> None:
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (words, done)

    renewable = "-maxrenewlife 7d"
    do("kdb5_util", "create", "-s", "-P", "master", "-r", REALM)
    do("kadmin.local", "modprinc", *renewable.split(), f"krbtgt/{REALM}")
    do("kadmin.local", "addprinc", *renewable.split(), "-pw", PASSWORD, USER)
    do("kadmin.local", "ktadd", "-norandkey", "-k", str(kdc.keytab), USER)
    kdc.keytab.chmod(0o644)
    with (folder / "kdc.log").open("wb") as log:
        daemon = subprocess.Popen(["krb5kdc", "-n"], env=environment, stdout=log, stderr=log)
    try:
        wait_for(port, daemon, folder / "kdc.log")
        yield kdc
    finally:
        daemon.terminate()
        daemon.wait()
