"""A new minor version of Python, by a real upgrade of Debian 12, with 3.11, to 13, with 3.13."""

from pathlib import Path

import pytest

from support import world

from .conftest import build, suite
from .system import LoginsAllTheWhile, System

pytestmark = pytest.mark.privileged
APT = ("apt-get", "-q", "-y", "-o", "APT::Sandbox::User=root", "--no-install-recommends")


@pytest.fixture
def upgraded(system: System) -> System:
    """A system whose next upgrade is to Debian 13."""
    if suite() != "bookworm":
        world.leave_out("starts from Debian 12")
    sources = system.root / "etc/apt/sources.list"
    assert "bookworm" in sources.read_text()
    sources.write_text(sources.read_text().replace("bookworm", "trixie"))
    return system


def test_nobody_is_kept_out_nor_without_a_keyring(
    upgraded: System, package: Path, tally: dict[str, int]
) -> None:
    system = upgraded
    people = LoginsAllTheWhile(system, ("native",))
    system.run("dpkg", "--install", system.take(package))
    system.run(*APT, "update")
    trixies = system.take(build(world.ROOT, "--for", "trixie"))

    steps = {
        "Debian is upgraded": (*APT, "full-upgrade"),
        "what is not needed is removed": (*APT, "--purge", "autoremove"),
        # The loader was built with it, and contains it.
        "the old Python is removed": (*APT, "--purge", "remove", "libpython3.11-minimal"),
        "the package is upgraded": (*APT, "install", trixies),
    }
    for name, step in steps.items():
        seen = people.during(lambda: system.run(*step))  # noqa: B023
        tally[f"logins while {name}"] = len(seen)
        assert [session for session in seen if session.wrong or not session.own] == [], name
    assert system.run("python3", "--version").stdout.startswith("Python 3.13")
    assert system.run("dpkg", "--audit").stdout == ""
    assert "session" in system.run("pykeyinit-helper", "show").stdout
