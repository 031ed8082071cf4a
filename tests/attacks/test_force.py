"""sudo, with limits and standard descriptors that an unprivileged user chooses.

sudo runs the command even if an optional session module failed.  Root's command then gets
the keys of whatever session keyring is in place.
"""

import subprocess

import pytest
from loader import setuid

from support import mounts, world
from support.drive import Driver

pytestmark = pytest.mark.privileged

MODULES = ["pam_pykeyinit.so", world.ORACLE]
DESCRIPTORS = ["</", ">/dev/full", "2>/dev/full", "2</", "1</", "<&-", ">&-", "2>&-", "</ 1</ 2</"]
# In kB, in small steps up to the size where everything works.
LIMITS = range(0, 8192, 48)
FOUND, NOT_FOUND, SPUN = "found", "not found", "spun"
# Plant a key, then print for each attempt whether root finds it.  The shell of a planted keyring
# is one process: the child of sudo answers through the file that it runs with.
ATTEMPT = """
keyctl add user attack:planted evil @s >/dev/null
while read -r limit redirection; do
    : >{seen}
    eval "(ulimit -d $limit; timeout --signal=KILL 20 {sudo} -n {look}) $redirection" 2>/dev/null
    [ $? != 137 ] || echo spun >{seen}
    echo "${{limit}} $(cat {seen})"
done
"""
LOOK = """#!/bin/sh
if keyctl request user attack:planted >/dev/null 2>&1; then
    echo found
else
    echo not found
fi >{seen}
"""


def _attempts(
    module: str, options: str, attempts: list[tuple[str, str]], driver: Driver
) -> list[str]:
    """The result of root's command in each case: a data limit in kB, a redirection."""
    folder = driver.scratch / module
    folder.mkdir()
    folder.chmod(0o777)
    mine = Driver(driver.program, folder)
    seen, look = folder / "seen", folder / "look"
    look.write_text(LOOK.format(seen=seen))
    look.chmod(0o755)
    mounted, command = setuid.sudo(mine, module)
    service = mounted["/etc"] / "pam.d/sudo"
    stack = service.read_text().replace("force revoke", options)
    service.write_text(f"{stack}\nsession required pam_permit.so\n")
    script = ATTEMPT.format(seen=seen, sudo=command[0], look=look)
    as_alice = ["setpriv", "--reuid=alice", "--regid=alice", "--clear-groups"]
    start = mounts.wrapper(folder / "try", mounted, *as_alice, "keyctl", "session", "-")
    seen.touch()
    seen.chmod(0o666)
    run = subprocess.run(
        [start, "sh", "-c", script],
        input="".join(f"{limit} {redirection}\n" for limit, redirection in attempts),
        env={"PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        timeout=300,
    )
    lines = run.stdout.splitlines()
    assert [line.split()[0] for line in lines] == [limit for limit, _ in attempts]
    return [line.partition(" ")[2] for line in lines]


@pytest.mark.parametrize("module", MODULES)
def test_root_does_not_find_it_whatever_the_descriptors(module: str, driver: Driver) -> None:
    attempts = [("unlimited", redirection) for redirection in DESCRIPTORS]
    assert _attempts(module, "force revoke", attempts, driver) == [NOT_FOUND] * len(attempts)


def test_root_does_not_find_it_whatever_the_limit(driver: Driver) -> None:
    """And sudo works wherever it works with pam_keyinit."""
    attempts = [(str(limit), "</dev/null") for limit in LIMITS]
    ours, theirs = (_attempts(m, "force revoke", attempts, driver) for m in MODULES)

    assert theirs[-1] == NOT_FOUND
    wrong = [
        (limit, mine, its)
        for limit, mine, its in zip(LIMITS, ours, theirs, strict=True)
        if mine in (FOUND, SPUN) or (not mine and its)
    ]
    assert wrong == []


@pytest.mark.parametrize("module", MODULES)
def test_without_force_it_is_found(module: str, driver: Driver) -> None:
    assert _attempts(module, "revoke", [("unlimited", "</dev/null")], driver) == [FOUND]
