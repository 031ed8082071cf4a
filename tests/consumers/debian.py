"""Debian's packages of consumers, unpacked, and sources: installing would change this machine.

libpam-krb5 adds itself to /etc/pam.d, krb5-kdc starts a daemon, cifs-utils adds to
/etc/request-key.d.  Downloads are kept below build/consumers for later runs.
"""

import contextlib
import subprocess
from pathlib import Path

from support import fetched, native, world
from support.fetched import CACHE, made_by_one

PACKAGES = (
    "krb5-kdc", "krb5-admin-server", "krb5-user", "kstart", "libpam-krb5",
    "cifs-utils", "fscrypt", "ecryptfs-utils",
)  # fmt: skip


def packages() -> Path:
    """The folder with all of them."""
    folder = fetched.debian("debian", *PACKAGES, everything=True)
    _link_alternatives(folder)
    return folder


def _link_alternatives(folder: Path) -> None:
    """Give kinit and similar programs their names: update-alternatives(1) does it in Debian 13."""
    for program in folder.glob("usr/bin/*.mit"):
        link = program.with_suffix("")
        with contextlib.suppress(FileExistsError):
            link.symlink_to(program.name)


def environment(folder: Path) -> dict[str, str]:
    """The environment in which a program finds the others and their libraries."""
    libraries = [f"{folder}/{place}/{native.MULTIARCH}" for place in ("usr/lib", "lib")]
    programs = [f"{folder}/{place}" for place in ("usr/bin", "usr/sbin", "bin", "sbin")]
    return {
        "LD_LIBRARY_PATH": ":".join(libraries),
        "PATH": ":".join([*programs, "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"]),
    }


def pam_module(folder: Path, name: str) -> Path:
    """The path of a PAM module, for a line of a stack."""
    (found,) = folder.glob(f"**/security/{name}")
    return found


def source(package: str) -> Path:
    """The upstream sources of a package, as Debian has them for this release."""
    folder = CACHE / f"{package}-source"
    complete = folder / "complete"
    script = f"""set -eu
        . /etc/os-release
        apt=$PWD/apt
        mkdir -p $apt/lists $apt/cache/archives/partial $apt/parts
        echo "deb-src http://deb.debian.org/debian $VERSION_CODENAME main" >$apt/sources
        here="-o Dir::Etc::SourceList=$apt/sources -o Dir::Etc::SourceParts=$apt/parts
            -o Dir::State::Lists=$apt/lists -o Dir::Cache=$apt/cache -o APT::Sandbox::User=root"
        apt-get -q $here update
        apt-get -q $here --tar-only --download-only source {package}
        tar -xf {package}_*.orig.tar.* --strip-components=1
    """
    with made_by_one(folder):
        if complete.exists():
            return folder
        folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            ["sh", "-c", script], cwd=folder, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            world.skip(f"the sources of {package} are not to be had: {done.stderr}")
        complete.touch()
    return folder
