"""Install, upgrade, remove, purge: logins succeed meanwhile."""

from pathlib import Path

import pytest

from .system import LOADERS, LoginsAllTheWhile, Seen, System

pytestmark = pytest.mark.privileged
BOTH = tuple(LOADERS)


def wrong(seen: list[Seen]) -> list[Seen]:
    """The sessions that failed."""
    return [session for session in seen if session.wrong]


def test_nobody_is_locked_out(
    system: System, package: Path, next_package: Path, tally: dict[str, int]
) -> None:
    people = LoginsAllTheWhile(system, BOTH)
    before = [system.session(loader) for loader in BOTH]
    assert [(session.wrong, session.own) for session in before] == [("", False)] * 2

    old, new = system.take(package), system.take(next_package)
    for name, change in {
        "installing": ("dpkg", "--install", old),
        "upgrading": ("dpkg", "--install", new),
        "installing again": ("dpkg", "--install", new),
        "going back": ("dpkg", "--install", old),
    }.items():
        seen = people.during(lambda: system.run(*change))  # noqa: B023
        assert wrong(seen) == [], name
        after = [system.session(loader) for loader in BOTH]
        assert [(session.wrong, session.own) for session in after] == [("", True)] * 2, name
        tally[f"logins while {name}"] = len(seen)
        if name != "installing":
            without = [session for session in seen if not session.own]
            tally[f"of these without a keyring, while {name}"] = len(without)

    assert wrong(people.during(lambda: system.run("dpkg", "--remove", "libpam-pykeyinit"))) == []
    assert [system.session(loader).own for loader in BOTH] == [False, False]
    assert wrong(people.during(lambda: system.run("dpkg", "--purge", "libpam-pykeyinit"))) == []
    left = system.run("find", "/", "-xdev", "-name", "*pykeyinit*", "!", "-path", "/root/*")
    assert left.stdout == ""


DEADLY = """\
# session required pam_pykeyinit.so
auth    required        pam_permit.so
session required        pam_pykeyinit.so force \\
                        revoke
session [success=ok default=bad] pam_python.so pam_pykeyinit.py
-session required       pam_pykeyinit.so
session optional        pam_pykeyinit.so
session [success=ok default=ignore] pam_pykeyinit.so
"""


def test_it_stays_where_people_would_be_locked_out(system: System, package: Path) -> None:
    system.run("dpkg", "--install", system.take(package))
    service = system.root / "etc/pam.d/somebodys"
    service.write_text(DEADLY)

    refused = system.run("dpkg", "--remove", "libpam-pykeyinit", check=False)
    assert refused.returncode != 0
    named = [line for line in refused.stderr.splitlines() if line.startswith("  /etc/pam.d/")]
    assert [" ".join(line.split()[1:4]) for line in named] == [
        "session required pam_pykeyinit.so",
        "session [success=ok default=bad]",
    ]
    assert system.session("native").own

    service.write_text("session optional pam_pykeyinit.so\n")
    removed = system.run("dpkg", "--remove", "libpam-pykeyinit")
    assert "do nothing from now on" in removed.stderr
    assert "somebodys: session optional" in removed.stderr


def test_what_it_brings_works(system: System, package: Path) -> None:
    system.run("dpkg", "--install", system.take(package))
    assert system.run("dpkg", "--audit").stdout == ""
    shown = system.run("pykeyinit-helper", "show", check=system.has_keyutils)
    assert ("session" if system.has_keyutils else "keyutils") in shown.stdout + shown.stderr
    ran = system.run("pykeyinit-helper", "run", "--user", "alice", "--", "/usr/bin/id", "-un")
    assert ran.stdout == "alice\n"
    code = "import pam_pykeyinit, pykeyinit_helper.api; print(pam_pykeyinit.__file__)"
    reported = system.run("/usr/bin/python3", "-I", "-c", code).stdout
    assert reported == "/usr/lib/python3/dist-packages/pam_pykeyinit/__init__.py\n"
    compiled = (system.root / reported.strip()[1:]).parent.glob("__pycache__/*.pyc")
    assert "module" in {path.name.split(".")[0] for path in compiled}
