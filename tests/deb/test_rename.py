"""The package had another name before 0.2.0: an upgrade replaces it."""

import re
import subprocess
from pathlib import Path

import pytest

from .conftest import scratch
from .system import LOADERS, LoginsAllTheWhile, System

pytestmark = pytest.mark.privileged
REQUIRED = "session required pam_pykeyinit.so\n"


@pytest.fixture
def old_package(package: Path) -> Path:
    """The same files under the old name."""
    folder = scratch()
    subprocess.run(["/usr/bin/dpkg-deb", "-R", package, folder / "tree"], check=True)
    control = folder / "tree/DEBIAN/control"
    text = re.sub(r"^(Provides|Conflicts|Replaces):.*\n", "", control.read_text(), flags=re.M)
    text = text.replace("Package: libpam-pykeyinit", "Package: pam-pykeyinit")
    control.write_text(re.sub(r"^Version: .*", "Version: 0.1.0", text, flags=re.M))
    for script in ("prerm", "postinst"):
        file = folder / "tree/DEBIAN" / script
        file.write_text(file.read_text().replace("-p libpam-pykeyinit", "-p pam-pykeyinit"))
    documents = folder / "tree/usr/share/doc"
    (documents / "libpam-pykeyinit").rename(documents / "pam-pykeyinit")
    old = folder / "pam-pykeyinit_0.1.0.deb"
    subprocess.run(["/usr/bin/dpkg-deb", "-b", folder / "tree", old], check=True)
    return old


def test_it_takes_the_place_of_the_old_one(
    system: System, package: Path, old_package: Path
) -> None:
    system.run("dpkg", "--install", system.take(old_package))
    (system.root / "etc/pam.d/somebodys").write_text(REQUIRED)
    stack = (system.root / "etc/pam.d/common-session").read_text()

    people = LoginsAllTheWhile(system, tuple(LOADERS))
    new = system.take(package)
    command = ("dpkg", "--auto-deconfigure", "--install", new)
    seen = people.during(lambda: system.run(*command))
    assert [session for session in seen if session.wrong or not session.own] == []

    state = ("dpkg-query", "-W", "-f", "${db:Status-Status}")
    assert system.run(*state, "libpam-pykeyinit").stdout == "installed"
    assert system.run(*state, "pam-pykeyinit", check=False).stdout != "installed"
    assert (system.root / "etc/pam.d/common-session").read_text() == stack
    assert system.run("dpkg", "--audit").stdout == ""
