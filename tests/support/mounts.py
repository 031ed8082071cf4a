"""Programs that see other files at some paths."""

import shlex
from collections.abc import Mapping
from pathlib import Path


def wrapper(script: Path, mounts: Mapping[str, Path], *command: str) -> Path:
    """Write a script that runs a command with other files mounted at some paths."""
    lines = [f"mount --bind {shlex.quote(str(at))} {path}" for path, at in mounts.items()]
    inner = "\n".join(["set -e", *lines, 'exec "$@"'])
    script.write_text(
        "#!/bin/sh\n"
        "exec unshare --mount --propagation unchanged "
        f'sh -c {shlex.quote(inner)} sh {shlex.join(command)} "$@"\n'
    )
    script.chmod(0o755)
    return script
