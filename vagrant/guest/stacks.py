"""The machine's /etc/pam.d with one of the modules, based on the distribution's files."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

# The start of a PAM line for each loader; pam_keyinit is the reference for the others.
LOADERS = {
    "pam_keyinit": "pam_keyinit.so",
    "native": "pam_pykeyinit.so",
    "pam_python": "pam_python.so pam_pykeyinit.py",
}

# pam_python in a set-user-ID program gives users root: there the line is unchanged.
SET_USER_ID = ("su", "su-l", "sudo", "sudo-i")

# Services without a keyring line in Debian, and their options.
ADDED = {
    "su": "revoke",
    "sudo": "revoke",
    "sudo-i": "force revoke",
    "cron": "force revoke",
    "atd": "force revoke",
    "lightdm": "force revoke",
}

# Services for which Debian has no stack, although the program uses one.
LACKING = {
    "systemd-run0": "@include common-account\n"
    "session optional pam_keyinit.so force revoke\n"
    "@include common-session-noninteractive\n",
}

PAM = Path("/etc/pam.d")
VENDOR = Path("/usr/lib/pam.d")  # with systemd-user; libpam prefers the administrator's
PRISTINE = Path("/var/lib/vm-pam.d")

_KEYINIT = re.compile(r"^(session\s+\S+\s+)pam_keyinit\.so\b", re.MULTILINE)
_SESSION = re.compile(r"^(session\s|@include\s+common-session)", re.MULTILINE)


def with_line(service: str, text: str, loader: str) -> str:
    """The service's file with this loader's line in place of pam_keyinit's, or added."""
    if loader == "pam_python" and service in SET_USER_ID:
        return text
    module = LOADERS[loader]
    if service in ADDED and not _KEYINIT.search(text):
        line = f"session optional {module} {ADDED[service]}\n"
        where = _SESSION.search(text)
        at = where.start() if where else len(text)
        return text[:at] + line + text[at:]
    return _KEYINIT.sub(rf"\g<1>{module}", text)


def install(loader: str) -> None:
    """Write /etc/pam.d; keep the original the first time."""
    if not PRISTINE.exists():
        shutil.copytree(PAM, PRISTINE)
    restore()
    for file in [*PRISTINE.iterdir(), *_vendors_own()]:
        text = file.read_text()
        changed = with_line(file.name, text, loader)
        if changed != text:
            (PAM / file.name).write_text(changed)
    for service in _lacking():
        (PAM / service).write_text(with_line(service, LACKING[service], loader))


def restore() -> None:
    """Restore the distribution's files."""
    if not PRISTINE.exists():
        return
    for file in PRISTINE.iterdir():
        shutil.copy2(file, PAM / file.name)
    for service in [*_lacking(), *(file.name for file in _vendors_own())]:
        (PAM / service).unlink(missing_ok=True)


def _lacking() -> list[str]:
    """The services without a stack of the administrator or the vendor."""
    return [
        name for name in LACKING if not any((top / name).exists() for top in (PRISTINE, VENDOR))
    ]


def _vendors_own() -> list[Path]:
    """The vendor's files without one of the administrator in their place."""
    if not VENDOR.is_dir():
        return []
    return [file for file in VENDOR.iterdir() if not (PRISTINE / file.name).exists()]
