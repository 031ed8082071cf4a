"""The real su and sudo, as programs that any user can run; and the files that they open."""

import re
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

from support import fetched
from support.drive import Driver

STACK = """auth required pam_permit.so
account required pam_permit.so
session optional {loader} force revoke"""
DATABASES = ("passwd", "group", "shadow", "nsswitch.conf", "ld.so.cache", "login.defs")
Program = tuple[dict[str, Path], list[str]]  # replaced files by path, and the command


def su(driver: Driver, loader: str) -> Program:
    """The machine's su, to bob."""
    stack = STACK.format(loader=loader)
    services = driver.services(su=stack, **{"su-l": stack})
    return {"/etc/pam.d": services}, ["/bin/su", "bob", "-c", "/usr/bin/id -u"]


def sudo_files(driver: Driver, stack: str) -> tuple[Path, Path]:
    """The usr of a sudo that is unpacked here, and an etc that allows all users every command."""
    usr, etc = driver.scratch / "usr", driver.scratch / "etc"
    if not usr.exists():
        shutil.copytree(fetched.debian("sudo", "sudo") / "usr", usr, symlinks=True)
    shutil.rmtree(etc, ignore_errors=True)
    etc.mkdir(mode=0o755)
    for name in DATABASES:
        if Path("/etc", name).exists():
            shutil.copy(Path("/etc", name), etc)
    sudoers = etc / "sudoers"
    sudoers.write_text("ALL ALL=(ALL) NOPASSWD: ALL\n")
    sudoers.chmod(0o440)
    (etc / "pam.d").symlink_to(driver.services(sudo=stack))
    return usr, etc


def sudo(driver: Driver, loader: str) -> Program:
    """That sudo, to bob."""
    usr, etc = sudo_files(driver, STACK.format(loader=loader))
    mounts = {"/etc": etc, "/usr/libexec": usr / "libexec"}
    return mounts, [str(usr / "bin/sudo"), "-n", "-u", "bob", "/usr/bin/id", "-u"]


PROGRAMS: dict[str, Callable[[Driver, str], Program]] = {"su": su, "sudo": sudo}


class Trace:
    """The paths that a traced process looks for until it drops its privileges."""

    def __init__(self, text: str, uid: int) -> None:
        self.paths: list[str] = []
        for line in text.splitlines():
            if re.match(rf"set(res|re)?uid\(.* {uid}, {uid}\)", line):
                break  # it has become the user
            path = re.match(r'\w+\((?:AT_FDCWD, )?"([^"]*)"', line)
            if path and not line.startswith(("execve(", "chdir(")):
                self.paths.append(path[1])

    def since(self, module: str) -> set[str]:
        """The paths after it loaded a PAM module."""
        at = [number for number, path in enumerate(self.paths) if path.endswith(f"/{module}")]
        return set(self.paths[at[0] :])


def is_roots(path: str) -> bool:
    """Whether only root controls what is at this path."""
    if not path.startswith("/"):
        return False
    for part in (Path(path), *Path(path).parents):
        try:
            status = part.lstat()
        except (FileNotFoundError, NotADirectoryError):
            continue  # its parent is checked next
        # Writing to a link or a terminal does not change the files behind it.
        anybody = stat.S_ISLNK(status.st_mode) or stat.S_ISCHR(status.st_mode)
        if status.st_uid or (not anybody and status.st_mode & stat.S_IWOTH):
            return False
    return True
