"""The module with one defence removed, for controls."""

from pathlib import Path

from support import mounts, native, world
from support.drive import Driver
from support.workshop import workshop

# By the removed defence: the file, the text there, and its replacement.
DEFENCES = {
    "the hold is the host's": (
        "session.py",
        "identity.with_real_ids(*libc.effective_ids(), session.hold)",
        "session.hold()",
    ),
    "the keyring is made with the user's ids": (
        "session.py",
        "self._join(user)",
        "self._join()",
    ),
    "no id is -1": ("loader/libc.c", "value >= UINT32_MAX", "0"),
    "what is logged is escaped": ("log.py", "line = printable(f", "line = str(f"),
    "what was joined is looked at": (
        "policies/naming.py",
        "return serial, objection(kind, owner, mask, uid), ",
        'return serial, "", ',
    ),
    "and is looked at again": (
        "policies/naming.py",
        "    return objection(kind, owner, mask, uid)",
        '    return ""',
    ),
    "the pin is not searchable": (
        "hold.py",
        "keyctl.set_permissions(self._pin, POSSESSOR_SETATTR | OWNER_SETATTR)",
        "keyctl.set_permissions(self._pin, 0x3F3F3F3F)",
    ),
    "the grip is its owner's": (
        "hold.py",
        "keyctl.set_permissions(self._grip, POSSESSOR_SEARCH | OWNER_LINK)",
        "keyctl.set_permissions(self._grip, 0x3F3F3F3F)",
    ),
}


def changes(*without: str) -> dict[str, str]:
    """The files of pam_pykeyinit/ that contain a defence, without it, by name."""
    texts: dict[str, str] = {}
    for defence in without:
        name, there, instead = DEFENCES[defence]
        text = texts.get(name) or (world.ROOT / "pam_pykeyinit" / name).read_text()
        assert text.count(there) == 1, defence
        texts[name] = text.replace(there, instead)
    return texts


def package(where: Path, *without: str) -> Path:
    """A copy of our package without some of its defences; returns the folder that contains it."""
    copy = native.copy(where / "pam_pykeyinit")
    for name, text in changes(*without).items():
        if not name.startswith("loader/"):
            (copy / name).write_text(text)
    return where


def driver(folder: Path, program: Path, *without: str, **mounted: Path) -> Driver:
    """A driver of the module without these defences; `mounted`: files of /etc, by name."""
    changed = {f"/etc/{name}": path for name, path in mounted.items()}
    if without:
        changed[str(native.package().parent)] = package(folder / "packages", *without)
        changed.update(workshop().build(changes(*without)))
    return Driver(mounts.wrapper(folder / "drive", changed, str(program)), folder)
