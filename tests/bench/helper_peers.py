"""The session keyring of a program, with the helper and with its peers.

    build-aux/world.sh /usr/bin/python3 tests/bench/helper_peers.py [FOLDER]

Each peer starts the same program as alice: first from a process whose session keyring is
root's, then from one whose session keyring is revoked.  If runit, s6, execline and its libraries
are not installed, FOLDER has these Debian packages, unpacked.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

PROBE = Path(__file__).parents[1] / "helper/probe.py"
PYTHON = ("/usr/bin/python3", "-IS")
AS_ALICE = ("setpriv", "--reuid=alice", "--regid=alice", "--init-groups")
HELPER = "pykeyinit-helper"
SYSTEMD = ("systemd-run", "--quiet", "--wait", "--pipe", "--uid=alice")
PEERS = {
    "setpriv": AS_ALICE,
    "chpst -u (runit)": ("chpst", "-u", "alice"),
    "s6-applyuidgid": ("s6-applyuidgid", "-u61001", "-g61051", "-G61051"),
    "setpriv, keyctl session -": (*AS_ALICE, "keyctl", "session", "-"),
    "keyctl session -, setpriv": ("keyctl", "session", "-", *AS_ALICE),
    "systemd-run, inherit": (*SYSTEMD, "-pKeyringMode=inherit"),
    "systemd-run, private": (*SYSTEMD, "-pKeyringMode=private"),
    "systemd-run, shared": (*SYSTEMD, "-pKeyringMode=shared"),
    "k5start": (*AS_ALICE, "k5start", "-q", "-U", "-f", "/etc/krb5.keytab", "--"),
    "helper run": (HELPER, "run", "--quiet", "--user=alice", "--"),
    "helper run --session=new": (HELPER, "run", "--quiet", "--user=alice", "--session=new", "--"),
}


def outcome(first: str, peer: "tuple[str, ...]", probe: Path) -> str:
    """The session keyring that the program reports, in a few words."""
    if shutil.which(peer[0]) is None or (peer[0] == "setpriv" and "k5start" in peer
                                         and shutil.which("k5start") is None):  # fmt: skip
        return "not on this machine"
    stage = (*PYTHON, str(probe), "stage", *first.split(), "--")
    command = (*stage, *peer, *PYTHON, str(probe), "tell")
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:
        why = (done.stderr.strip() or f"status {done.returncode}").splitlines()[-1]
        return f"did not start it: {why[:40]}"
    reported = json.loads(lines[-1])
    if "error" in reported:
        return f"{reported['error']}: none that works"
    _, uid, _, _, name = reported["description"].split(";", 4)
    owner = {"0": "root", "61001": "alice"}.get(uid, uid)
    links = (
        " ".join(link.split(";", 4)[4].split(".")[0] for link in reported["links"]) or "nothing"
    )
    return f"{owner}'s {name.split('.')[0]} with {links}"


def main() -> None:
    """Print the table."""
    if len(sys.argv) > 1:
        folder = sys.argv[1]
        os.environ["PATH"] += f":{folder}/usr/bin:{folder}/bin:{folder}/usr/sbin"
        os.environ["LD_LIBRARY_PATH"] = f"{folder}/usr/lib/x86_64-linux-gnu"
    probe = Path(os.environ["WORLD"]) / "probe.py"
    shutil.copy(PROBE, probe)
    probe.chmod(0o644)
    print(f"{'started by':26} {'from a session of root':34} from a revoked session")
    for name, peer in PEERS.items():
        cells = [outcome(first, peer, probe) for first in ("own root", "revoked root")]
        print(f"{name:26} {cells[0]:34} {cells[1]}")


main()
