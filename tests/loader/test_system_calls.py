"""The list in pam_pykeyinit(8) for seccomp filters matches a trace of sessions."""

import itertools
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pam_pykeyinit.policies import words
from support import native, world
from support.drive import Driver

pytestmark = pytest.mark.privileged

MANUAL = (world.ROOT / "pam_pykeyinit/pam_pykeyinit.8").read_text()
OPTIONS = [
    "",
    "force revoke",
    "force revoke tag refresh link=user,user-session,persistent quota_warn=1 foreign=replace",
    "name=%u-traced tag link=persistent",
    "force name=%u-traced revoke=10m on_error=degrade minimum_uid=1 ignore_root",
    "revoke=cred foreign=replace",
    "ignore_root revoke=never link=none",
]
SCRIPT = (
    "prep own bob\nstart 0 s alice\nauth 0\nacct 0\nestablish 0\nopen 0\nrefresh 0\n"
    "start 1 s bob\nopen 1\nclose 1\nend 1\nthread 1\nclose 0\ndelete 0\nend 0\n"
    "start 0 s root\nopen 0\nclose 0\nend 0\n"
)


def _listed() -> set[str]:
    section = MANUAL[MANUAL.index(".Ss SYSTEM CALLS") :]
    block = re.search(r"^\.Bd -literal.*?\n(.*?)^\.Ed", section, re.MULTILINE | re.DOTALL)
    assert block
    since_3_14 = {"prlimit", "sched_getaffinity"}
    assert all(call in section for call in since_3_14)
    newer = tuple(map(int, native.VERSION.split("."))) >= (3, 14)
    return set(block[1].split()) | (since_3_14 if newer else set())


def _made(module: str, options: str, driver: Driver, folder: Path) -> set[str]:
    """The calls of all processes after the search for the module."""
    # The kernel takes some time to forget a name; a login that finds the keyring takes no lock.
    options = options.replace("traced", f"traced-{next(_numbers)}")
    line = f"{module} {options}"
    services = driver.services(s="".join(f"{kind} optional {line}\n" for kind in KINDS) + REST)
    script = folder / "script"
    script.write_text(SCRIPT)
    trace = folder / "trace"
    for old in folder.glob("trace*"):
        old.unlink()
    with script.open() as commands:
        subprocess.run(
            ["strace", "-ff", "-o", trace, driver.program, services],
            stdin=commands,
            env={"PATH": "/usr/bin:/bin"},
            stdout=subprocess.DEVNULL,
            check=True,
            timeout=60,
        )
    texts = [path.read_text(errors="replace") for path in folder.glob("trace.*")]
    whole = next(text for text in texts if f'/{module}"' in text)
    since = whole[whole.index(f'/{module}"') :]  # of the first thread; all calls of the others
    texts = [since if text is whole else text for text in texts]
    calls = set(re.findall(r"^(\w+)\(", "".join(texts), re.MULTILINE))
    listed = _listed()
    return {call if call in listed else _of_64_bits(call) for call in calls}


def _of_64_bits(call: str) -> str:
    """The name on a 64-bit architecture, which the manual page lists."""
    others = {"mmap2": "mmap", "_llseek": "lseek"}
    return others.get(call) or re.sub(r"(_time64|64|32)$", "", call)


_numbers = itertools.count()
KINDS = ("auth", "account", "session")
REST = "".join(f"{kind} required pam_permit.so\n" for kind in KINDS)


FILE = "open|openat|openat2|stat|lstat|newfstatat|statx|access|faccessat|faccessat2|readlink"


def test_every_option_is_traced() -> None:
    asked = {word.partition("=")[0] for options in OPTIONS for word in options.split()}
    assert asked >= {*words._VALUES, *words._SWITCHES, "force", "revoke"}


@pytest.mark.parametrize("options", OPTIONS)
def test_no_other_call_is_made(options: str, driver: Driver, tmp_path: Path) -> None:
    """The calls of libpam, libc and the user database also appear with pam_keyinit."""
    ours = _made("pam_pykeyinit.so", options, driver, tmp_path)
    shared = set(options.split()) & {"force", "revoke"}
    theirs = _made(world.ORACLE, " ".join(sorted(shared)), driver, tmp_path)

    assert ours - theirs <= _listed()
    assert ours >= {"keyctl", "setresuid", "setresgid", "mmap"}, "it shows too little"


def test_nothing_is_listed_that_is_never_called(driver: Driver, tmp_path: Path) -> None:
    made = {
        call
        for options in OPTIONS
        for call in _made("pam_pykeyinit.so", options, driver, tmp_path)
    }
    others = {"fcntl", "futex", "madvise", "sysinfo", "brk", "clock_nanosleep"}  # occasionally
    others |= {"capget", "fstat", "pread64"}  # without root's privileges; with another libc
    others |= {"newfstatat"} if sys.maxsize < 2**32 else set()  # statx, which libpam calls as well
    others |= {"open"}  # the allocator of Python 3.13, of /proc/sys/vm/overcommit_memory
    assert _listed() - made - others == set()


def test_a_login_opens_no_file_of_python(driver: Driver, tmp_path: Path) -> None:
    """Only files of libpam, the two of the module, the user database's and the log's."""
    _made("pam_pykeyinit.so", OPTIONS[2], driver, tmp_path)
    trace = "".join(path.read_text(errors="replace") for path in tmp_path.glob("trace.*"))
    looked_for = set(re.findall(rf'^(?:{FILE})\((?:AT_FDCWD, )?"([^"]*)"', trace, re.MULTILINE))
    looked_for -= {"", "/", str(driver.program)}

    both = {native.as_opened(native.module()), native.as_opened(native.interpreter())}
    assert both <= looked_for
    ours = {path for path in looked_for if "python" in path or "pykeyinit" in path}
    world_of_tests = str(world.folder())
    ours = {path for path in ours if not path.startswith(world_of_tests)}
    assert ours == both | _of_the_lock(ours)
    known = ("/etc/", "/lib/", "/usr/lib/", "/proc/", "/dev/", "/run/", "/var/run/", "/var/tmp/")
    assert [path for path in looked_for if not path.startswith((*known, world_of_tests))] == []


def _of_the_lock(paths: set[str]) -> set[str]:
    return {path for path in paths if path.startswith("/run/pam_pykeyinit")}
