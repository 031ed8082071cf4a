"""The keyring settings of systemd services: systemd.exec(5), systemd.unit(5)."""

from pathlib import Path
from typing import NamedTuple

from pykeyinit_helper.stacks.below import Below

_FOLDERS = (
    Path("/etc/systemd/system"),
    Path("/run/systemd/system"),
    Path("/usr/lib/systemd/system"),
    Path("/lib/systemd/system"),
)


class Unit(NamedTuple):
    """A systemd service."""

    name: str
    file: str
    keyring_mode: str  # private is the default of systemd
    command: str
    aliases: tuple[str, ...] = ()


def read(below: Below) -> list[Unit]:
    """All services with their drop-ins; a file of /etc hides one of /usr/lib.

    A service with several names, by links, is listed once.
    """
    files: dict[str, Path] = {}
    for folder in reversed(_FOLDERS):
        for name in below.names(folder):
            if name.endswith(".service") and below.is_file(folder / name):
                files[name] = folder / name
    names: dict[Path, list[str]] = {}
    for name, path in sorted(files.items()):
        names.setdefault(below.real(path).resolve(), []).append(name)
    return [_unit(below, real, found, files) for real, found in names.items()]


def _unit(below: Below, real: Path, names: list[str], files: dict[str, Path]) -> Unit:
    name = real.name if real.name in names else names[0]
    drop_ins: dict[str, Path] = {}
    for folder in reversed(_FOLDERS):
        for each in names:
            inside = folder / f"{each}.d"
            drop_ins |= {n: inside / n for n in below.names(inside) if n.endswith(".conf")}
    settings: dict[str, str] = {}
    for path in (files[name], *(drop_ins[key] for key in sorted(drop_ins))):
        settings |= _settings(below, path)
    mode = settings.get("KeyringMode") or "private"
    aliases = tuple(other for other in names if other != name)
    return Unit(name, str(files[name]), mode, settings.get("ExecStart", ""), aliases)


def _settings(below: Below, path: Path) -> dict[str, str]:
    """The [Service] section; later settings replace earlier ones."""
    try:
        text = below.read(path).decode("utf-8", "replace")
    except OSError:  # systemd reports this
        return {}
    found: dict[str, str] = {}
    section = ""
    for line in text.replace("\\\n", " ").splitlines():
        line = line.strip()
        key, sign, value = line.partition("=")
        if line.startswith("["):
            section = line
        elif sign and section == "[Service]" and line[0] not in "#;":
            found[key.rstrip()] = value.strip()
    return found
