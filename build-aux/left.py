"""left.py FIRST MANY [WORLDS]: find what a suite has left on the machine.

Without WORLDS, prints what there is: the settings of keys, the mounts, PAM's configuration, and
the keys of the MANY users whose uids begin with FIRST.  The suite's end gives it that as
standard input, and the folder that its worlds were in.  Then it names what has changed, and the
processes that still see one of these worlds; ends with 1 if there is anything.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

KEYS = Path("/proc/sys/kernel/keys")
QUOTAS = Path("/run/pykeyinit.quotas")  # private.py's
# PAM's configuration, and what `enable` keeps.
CONFIGURATION = tuple(
    map(Path, ("/etc/pam.d", "/usr/lib/pam.d", "/etc/security", "/var/lib/pykeyinit-helper"))
)
PATIENCE = 30  # seconds: processes end, and the kernel collects keys, in their own time
# What the kernel makes for whoever has keys, and keeps.
OF_THE_KERNEL = ("_uid.", "_uid_ses.", "_persistent.")


def settings() -> dict[str, str]:
    """The machine's settings of keys."""
    return {path.name: path.read_text().strip() for path in sorted(KEYS.iterdir())}


def saved_settings() -> dict[str, str]:
    """Those that a world has saved and, for it was killed, not put back: the next one does."""
    try:
        saved = QUOTAS.read_text().split()
    except OSError:
        return {}
    return dict(zip(("maxkeys", "maxbytes"), saved, strict=False))


def mounts() -> list[str]:
    """Where something is mounted, as far as this process sees."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [line.split()[4] for line in lines]


def files() -> dict[str, str]:
    """The files of CONFIGURATION, and a digest of each."""
    found = [path for folder in CONFIGURATION for path in folder.rglob("*") if path.is_file()]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def processes(worlds: str) -> list[str]:
    """The processes that see a mount in one of the worlds."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if worlds in (folder / "mountinfo").read_text():
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
                found.append(f"process {folder.name}: {command.decode(errors='replace')}")
    return found


def keys(first: int, many: int) -> list[str]:
    """The live keys of these users, but for what the kernel makes for each."""
    lines = Path("/proc/key-users").read_text().splitlines()
    users = [int(line.partition(":")[0]) for line in lines]
    return [key for uid in users if first <= uid < first + many for key in keys_of(uid)]


def keys_of(uid: int) -> list[str]:
    """One user's live keys; only that user sees them.

    Without their flags, usage counts and timeouts, which change while nothing is made.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.setresuid(uid, uid, uid)
        seen = [line.split() for line in Path("/proc/keys").read_text().splitlines()]
        live = [
            f"key of {uid}: {' '.join([words[0], *words[4:]])}"
            for words in seen
            if words[5] == str(uid)
            and not set("RDi") & set(words[1])
            and words[3] != "expd"
            and not words[8].startswith(OF_THE_KERNEL)
        ]
        os.write(writing, "\n".join(live)[:60_000].encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        live = pipe.read().splitlines()
    os.waitpid(child, 0)
    return live


def keys_of_root() -> list[str]:
    """Root's, but for keyrings: daemons have those, and come and go."""
    return [key for key in keys_of(0) if " keyring " not in key]


def other_worlds() -> bool:
    """Whether there are worlds of others: until they end, settings are as they want them."""
    try:
        with QUOTAS.open() as inhabited:
            fcntl.flock(inhabited, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        pass
    return False


def settled(look: Callable[[], list[str]]) -> list[str]:
    """What is still there after some time."""
    deadline = time.monotonic() + PATIENCE
    while (found := look()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return found


def main() -> int:
    """Print what there is, or what is left."""
    first, many, *worlds = sys.argv[1:]
    if not worlds:
        now: dict[str, Any] = {
            "settings": settings(),
            "mounts": mounts(),
            "files": files(),
            "keys": keys(int(first), int(many)),
            "others": other_worlds(),
        }
        if not now["others"]:
            now["keys"] += keys_of_root()
            now["settings"].update(saved_settings())
        json.dump(now, sys.stdout)
        return 0
    before = json.load(sys.stdin)
    left = settled(lambda: processes(worlds[0]))
    left += settled(lambda: sorted({*keys(int(first), int(many))} - {*before["keys"]}))
    left += [f"file {path}" for path in Path(worlds[0]).glob("*/*")]
    changed = {*files().items()} ^ {*before["files"].items()}
    left += [f"{path}: it is not as it was" for path in sorted({path for path, _ in changed})]
    left += [f"mount {at}" for at in mounts() if at not in before["mounts"] and "pykeyinit" in at]
    if not before["others"] and not other_worlds():
        left += settled(lambda: sorted({*keys_of_root()} - {*before["keys"]}))
        left += [
            f"kernel.keys.{name}: {value}; it was {before['settings'].get(name)}"
            for name, value in settings().items()
            if value != before["settings"].get(name)
        ]
    sys.stderr.write("".join(f"left behind: {line}\n" for line in left))
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
