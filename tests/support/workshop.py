"""Build the loader with changes, in a copy of this tree.

The code of a login is inside pam_pykeyinit_python.so, so a test that needs other code
builds it: this takes a few seconds for the first, and two for each later one.  Tests that do so
have xdist_group("workshop"), so that one worker alone needs a first one.
"""

import contextlib
import functools
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from support import native, world

FILES = ("pam_pykeyinit.so", "pam_pykeyinit_python.so")


def _quietly(*command: str | Path) -> None:
    subprocess.run(command, check=True, capture_output=True)


class Workshop:
    """Builds below a folder."""

    def __init__(self, folder: Path, *options: str) -> None:
        self._tree, self._build = folder / "tree", folder / "build"
        self._folder = folder
        self._made: dict[tuple[tuple[str, str], ...], dict[str, Path]] = {}
        kept = shutil.ignore_patterns("build", "dist", ".git", ".venv")
        shutil.copytree(world.ROOT, self._tree, symlinks=True, ignore=kept)
        where = f"-Dpython.purelibdir={native.package().parent}"
        _quietly("meson", "setup", where, *options, self._build, self._tree)

    @contextlib.contextmanager
    def changed(self, changes: Mapping[str, str]) -> Iterator[None]:
        """What is built in this block has these texts for these files of pam_pykeyinit/."""
        originals = {name: self._source(name).read_text() for name in changes}
        try:
            for name, text in changes.items():
                self._source(name).write_text(text)
            yield
        finally:
            for name, text in originals.items():
                self._source(name).write_text(text)

    def build(self, changes: Mapping[str, str]) -> dict[str, Path]:
        """Build with these texts for these files of pam_pykeyinit/.

        Returns the files by the paths where libpam looks for them.
        Raises CalledProcessError if the build fails.
        """
        which = tuple(sorted(changes.items()))
        if which and which in self._made:
            return self._made[which]
        with self.changed(changes):
            _quietly("ninja", "-C", self._build)
        where = Path(tempfile.mkdtemp(dir=self._folder))  # forks of one process share the folder
        built = self._build / "pam_pykeyinit/loader"
        self._made[which] = {
            str(native.module().with_name(name)): Path(shutil.copy(built / name, where))
            for name in FILES
        }
        return self._made[which]

    def _source(self, name: str) -> Path:
        return self._tree / "pam_pykeyinit" / name


@functools.cache
def workshop() -> Workshop:
    """The one of this world."""
    return Workshop(Path(tempfile.mkdtemp(dir=world.folder(), prefix="workshop.")))
