"""Root file systems, kernels and archives to boot from, made by root.sh and kept in build/vm.

A folder's name contains a digest of its sources: unchanged parts are not made again.
"""

import hashlib
import os
import shutil
import signal
import subprocess
import threading
from pathlib import Path

from harness.suites import FOREIGN, LACKING, NATIVE, PACKAGES, Suite

HERE = Path(__file__).parents[1]
TREE = HERE.parent
BUILD = TREE / "build/vm"

# The files of the tree that affect a build; others can change without a new one.
BUILT_FROM = ("meson.build", "meson_options.txt", "build-aux", "pam_pykeyinit", "helper", "conf")
PACKAGED_FROM = ("debian", "CHANGELOG.md")


class CannotMake(Exception):
    """A part could not be made; str() says which, and where its log is."""


def digest(files: "list[Path]", *more: str) -> str:
    """A short name for the contents of files and folders, and of some words."""
    sum_ = hashlib.sha256("\0".join(more).encode())
    for top in files:
        for file in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if file.is_file() and "__pycache__" not in file.parts:
                sum_.update(f"{file.relative_to(TREE)}\0".encode() + file.read_bytes())
    return sum_.hexdigest()[:12]


def code() -> str:
    """A short name for the code that a machine is made of and runs, without the scenarios."""
    ours = ("vagrant/guest", "vagrant/root.sh", "vagrant/Vagrantfile")
    names = [*BUILT_FROM, *PACKAGED_FROM, *ours]
    return digest([TREE / name for name in names if (TREE / name).exists()])


def version() -> str:
    """The version of this tree."""
    text = (TREE / "pam_pykeyinit/__init__.py").read_text()
    return text.partition('__version__ = "')[2].partition('"')[0]


def _make(what: str, result: Path, *arguments: "str | Path", on: str = NATIVE) -> Path:
    """Have root.sh make it, unless it is there."""
    if result.exists():
        return result
    BUILD.mkdir(parents=True, exist_ok=True)
    part = result.with_name(f"{result.name}.part")
    subprocess.run(["rm", "-rf", part], check=True)
    log = BUILD / f"{result.name}.log"
    words = [str(part) if word == result else str(word) for word in arguments]
    if _run([str(HERE / "root.sh"), on, what, *words], log):
        last = "\n  ".join(log.read_text().splitlines()[-5:])
        raise CannotMake(f"{what} of {result.name} failed, see {log}:\n  {last}")
    part.replace(result)
    return result


_running: "list[subprocess.Popen[bytes]]" = []
_stopped = threading.Event()


def stop() -> None:
    """End what other threads are making, or are about to make."""
    _stopped.set()
    for program in list(_running):
        os.killpg(program.pid, signal.SIGTERM)
        program.wait()


def _run(command: list[str], log: Path) -> int:
    """The exit status; an interrupt ends all processes of it."""
    with log.open("w") as output:
        program = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _running.append(program)
    try:
        if _stopped.is_set():
            os.killpg(program.pid, signal.SIGTERM)
        return program.wait()
    except BaseException:
        os.killpg(program.pid, signal.SIGTERM)
        program.wait()
        raise
    finally:
        _running.remove(program)


class Parts:
    """The parts that boot the machine of one suite."""

    def __init__(self, suite: Suite, more: tuple[str, ...] = ()) -> None:
        """With `more` packages than the fast path needs."""
        self._suite = suite
        packages = [
            *PACKAGES,
            *more,
            *suite.packages,
            *(FOREIGN if self.is_foreign else ()),
            *(["libpam-python"] if "pam_python" in suite.loaders else []),
        ]
        packages = [name for name in packages if name not in LACKING.get(suite.release, ())]
        makers = [HERE / "root.sh", HERE / "foreign.sh", HERE / "guest/prepare.sh"]
        key = digest(makers, suite.release, suite.architecture, *packages)
        self._packages = packages
        self._name = suite.release + f"-{suite.architecture}" * self.is_foreign
        self._base = BUILD / f"base-{self._name}-{key}"
        self._key = key

    @property
    def is_foreign(self) -> bool:
        """Whether its processor is not the usual one."""
        return self._suite.architecture != NATIVE

    def _make(self, what: str, result: Path, *arguments: "str | Path") -> Path:
        return _make(what, result, *arguments, on=self._suite.architecture)

    def base(self) -> Path:
        """The root file system without anything of ours."""
        return self._make("base", self._base, self._suite.release, self._base, *self._packages)

    def kernel_file(self) -> Path:
        """Where the kernel is, once it is made."""
        return BUILD / f"kernel-{self._suite.name}-{self._key}/vmlinuz"

    def kernel(self) -> Path:
        """The kernel, as one file; beside it are its modules for consoles."""
        folder = self.kernel_file().parent
        return self._make("kernel", folder, self._base, self._suite.kernel, folder) / "vmlinuz"

    def stage(self) -> Path:
        """The files of ./setup install, built in that release: nothing without our loader."""
        if "native" not in self._suite.loaders:
            empty = BUILD / "stage-none"
            empty.mkdir(exist_ok=True)
            return empty
        names = [*BUILT_FROM, *(["tests/driver"] if self.is_foreign else [])]
        key = digest([TREE / name for name in names if (TREE / name).exists()], self._key)
        stage = BUILD / f"stage-{self._name}-{key}"
        return self._make("stage", stage, self._base, TREE, stage)

    def package(self) -> Path:
        """A folder with the Debian package, as ./setup deb --for SUITE makes it."""
        names = [*BUILT_FROM, *PACKAGED_FROM]
        key = digest([TREE / name for name in names if (TREE / name).exists()])
        release = self._suite.release
        folder = BUILD / f"deb-{release}-{key}"
        return self._make("deb", folder, release, folder)

    def box(self, key: Path) -> Path:
        """A folder with a box for Vagrant, its kernel and initrd; `key` can log in."""
        name = digest([HERE / "guest/vagrant-user.sh"], self._key)
        box = BUILD / f"box-{self._name}-{name}"
        return self._make("box", box, self._base, key, box)

    def initramfs(self, guest: Path) -> Path:
        """All of it, and the folder of the machine's programs, as one archive."""
        archive = guest.with_suffix(".cpio")
        archive.unlink(missing_ok=True)
        shutil.copytree(self.kernel().with_name("modules"), guest / "modules")
        return self._make("initramfs", archive, self._base, self.stage(), guest, archive)
