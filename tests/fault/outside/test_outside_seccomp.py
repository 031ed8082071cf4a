"""Calls that a filter refuses permanently, as in containers and in sandboxed services."""

import errno
import sys

import pytest

from pam_pykeyinit.kernel import sysnums
from support import world
from support.drive import Driver
from support.journal import Journal

pytestmark = pytest.mark.privileged

SUCCESS, SERVICE_ERR, SESSION_ERR, IGNORE = 0, 3, 14, 25
OPENAT = {
    "x86_64": 257,
    "i386": 295,
    "arm": 322,
    "aarch64": 56,
    "riscv64": 56,
    "powerpc64le": 286,
    "s390x": 288,
}[sysnums.architecture(sys.implementation._multiarch)]
JOIN, REVOKE, LINK = 1, 3, 8
# The refused call, the code of open, and the words in the line.
DENIED = {
    f"{sysnums.KEYCTL} {{}}": (SESSION_ERR, "keyctl(JOIN_SESSION_KEYRING)"),
    f"{sysnums.KEYCTL} {{}} {JOIN}": (SESSION_ERR, "keyctl(JOIN_SESSION_KEYRING)"),
    f"{sysnums.KEYCTL} {{}} {LINK}": (SESSION_ERR, "keyctl(LINK)"),
    f"{sysnums.KEYCTL} {{}} {REVOKE}": (SUCCESS, "keyctl(REVOKE)"),
    f"{sysnums.SETRESUID} {{}}": (SESSION_ERR, "setresuid"),
    f"{sysnums.SETRESGID} {{}}": (SESSION_ERR, "setresgid"),
}
ERRNOS = ("EPERM", "ENOSYS", "EACCES", "EDQUOT", "EINTR")


@pytest.mark.parametrize("error", ERRNOS)
@pytest.mark.parametrize("denied", DENIED)
def test_a_filter_refuses_it(
    denied: str, error: str, driver: Driver, loader: str, journal: Journal
) -> None:
    """Before Python is started, and in a process where it runs already."""
    code, call = DENIED[denied]
    services = driver.services(s=f"session required {loader} force revoke")
    warm = "start 0 s bob\nopen 0\nclose 0\nend 0\n"
    for first in ("", warm):
        deny = f"seccomp {denied.format(getattr(errno, error))}\n"
        script = f"{first}start 1 s alice\n{deny}open 1\n"
        *_, before, opened = driver.run(services, script).steps
        assert opened.code == code
        assert opened.ids == [0] * 6
        lines = journal.ours()
        assert [line.level for line in lines] == ["ERR"] * bool(code)
        assert all(f"{call}: {error}: " in line.text for line in lines)
        if call.startswith("setres"):  # `force`: the caller's keyring does not stay
            assert opened.session["serial"] != before.session.get("serial")
            assert opened.session["links"] == []
        elif call == "keyctl(JOIN_SESSION_KEYRING)":
            assert opened.session == before.session or "error" in opened.session


@pytest.mark.parametrize("error", ["EPERM", "EMFILE", "ENOENT"])
def test_no_file_can_be_opened(error: str, driver: Driver, journal: Journal) -> None:
    """Then nothing can be loaded, and no user can be looked up; the process survives."""
    services = driver.services(s="session required pam_pykeyinit.so force revoke")
    deny = f"seccomp {OPENAT} {getattr(errno, error)}\n"
    cold = f"start 0 s alice\n{deny}open 0\n"
    warm = f"start 0 s bob\nopen 0\nclose 0\nend 0\nstart 1 s alice\n{deny}open 1\n"
    for script in (cold, warm):
        *_, before, opened = driver.run(services, script).steps
        assert opened.code not in (SUCCESS, IGNORE)
        # A lack of descriptors says nothing about the user, and `force` removes the caller's
        # keyring.
        empty = opened.session != before.session
        assert empty == (error == "EMFILE")
        assert not empty or opened.session["links"] == []
        assert opened.ids == [0] * 6
        lines = journal.read()
        assert lines
        not_looked_up = 'cannot look up user "alice": Too many open files; an empty session'
        assert (not_looked_up in lines[-1].text) == empty


def test_pam_python_fails_then_or_ends_the_process(driver: Driver) -> None:
    """The control, and a reason for our own loader: Debian 12's pam_python ends the process."""
    services = driver.services(s=f"session required {world.LOADERS['pam_python']} force")
    script = f"start 0 s alice\nseccomp {OPENAT} {errno.EMFILE}\nopen 0\n"
    try:
        became: object = driver.run(services, script).codes()
    except AssertionError as ended:
        became = "Fatal Python error" in str(ended)
    assert became in ([SERVICE_ERR], True)
