"""run.py MUTANTS [TEST...]: run the tests against each mutant; print its verdict, a line each.

Runs in a world of its own (build-aux/world.sh), as root: the mutant replaces the installed copy
of a file there, for all programs of the tests.  MUTANTS is the output of generate.py.  Each
mutant has a process that is forked before any import of our code, and which ends with the first
failed test.  Exit status 1 if the tests fail without a mutant.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from support import world
from support.workshop import workshop

PATIENCE = 300  # seconds for all tests of one mutant; then it is killed
# pam_python is excluded, because the mutants are in code that both loaders share; so is a test
# that can fail on a busy machine, which would count a mutant as killed.
CHOICE = "not pam_python and not hundred"
# The most relevant tests of a file, the fastest first.
BEYOND = [
    "policies/test_policy_words.py", "scripts", "policies/test_tag_refresh_quota.py",
    "policies/test_used_up.py", "policies/test_policies.py", "policies/test_links.py",
    "policies/test_names.py", "policies/test_attacks.py", "policies/test_faults.py",
]  # fmt: skip
CORE = [
    "module/test_decisions.py", "module/test_hygiene.py", "module/test_contract.py",
    "module/test_retval.py", "module/test_left_open.py", "scripts", "fault/test_interrupts.py",
    "module/test_differences.py", "module/test_bad_input.py",
    "policies/test_policies.py", "policies/test_tag_refresh_quota.py", "attacks/test_ids.py",
    "fault/test_every_call.py", "loader/test_threads.py",
]  # fmt: skip
NAMES = ["policies/test_attacks.py", "policies/test_names.py", "policies/test_faults.py"]
LOADER = [
    "module/test_hygiene.py", "loader/test_build.py", "loader/test_threads.py",
    "loader/test_failures.py", "loader/test_hosts.py", "module/test_bad_input.py",
    "load/test_cycles.py", "scripts", "policies/test_tag_refresh_quota.py",
    "loader/test_isolation.py", "loader/test_forks.py", "loader/test_embedders.py",
    "fault/test_every_errno.py",
]  # fmt: skip
IDS = ["attacks/test_ids.py", "loader/test_ids.py"]
TESTS = {
    "options.py": ["module/test_options.py", *BEYOND[:2]],
    "policies/words.py": ["policies/test_policy_words.py", "module/test_options.py", *BEYOND[1:5]],
    "policies/quota.py": ["module/test_decisions.py", "policies/test_tag_refresh_quota.py"],
    "policies/naming.py": ["policies/test_plan.py", "scripts", *NAMES],
    "policies/lock.py": ["policies/test_lock.py", "policies/test_names.py"],
    "loader/identity.c": ["kernel/test_identity.py", *IDS, *CORE],
    "loader/ids.c": [*IDS, *CORE],
    "left_open.py": ["module/test_left_open.py"],
    "hold.py": ["module/test_hold.py", "fault/test_every_call.py"],
    "kernel/identity.py": ["kernel/test_identity.py", "module/test_differences.py", *NAMES],
    "kernel/syscalls.py": [
        "kernel/test_keyctl.py",
        "module/test_hold.py",
        "kernel/test_identity.py",
        *CORE,
    ],
    "kernel/listing.py": ["kernel/test_listing.py", "kernel/test_descriptions.py"],
    "kernel/procfs.py": ["kernel/test_procfs.py"],
    "failure.py": ["module/test_decisions.py", "scripts"],
    "log.py": [
        "module/test_decisions.py",
        "scripts",
        "module/test_hygiene.py",
        "module/test_bad_input.py",
    ],
    "native.py": [
        "module/test_hygiene.py",
        "module/test_retval.py",
        "scripts",
        "policies/test_tag_refresh_quota.py",
    ],
    "kernel/keyctl.py": ["kernel/test_keyctl.py", "policies/test_lock.py", *BEYOND[2:6]],
    "kernel/libc.py": ["kernel/test_keyctl.py", "module/test_hold.py", "kernel/test_identity.py"],
    "kernel/sysnums.py": [
        "kernel/test_sysnums.py",
        "module/test_decisions.py",
        "kernel/test_keyctl.py",
    ],
    "policies/plan.py": ["policies/test_plan.py", *BEYOND],
    **dict.fromkeys(["policies/tag.py", "policies/refresh.py"], BEYOND),
}
Mutant = dict[str, str]


def tests_of(file: str) -> list[str]:
    """The tests of a file of pam_pykeyinit/."""
    return TESTS.get(file, LOADER if file.startswith("loader/") else CORE)


def label(mutant: Mutant) -> str:
    """The name of a mutant, here and in EXPLAINED."""
    return "{file} {function}: {before} -> {after}".format(**mutant)


@contextlib.contextmanager
def built(mutant: Mutant) -> Iterator[None]:
    """Build the mutant, and put it where libpam looks for it."""
    made = workshop().build({mutant["file"]: mutant["source"]})
    kept = {path: Path(path).read_bytes() for path in made}
    try:
        for path, file in made.items():
            Path(path).write_bytes(file.read_bytes())
        yield
    finally:
        for path, content in kept.items():
            Path(path).write_bytes(content)


@contextlib.contextmanager
def installed(mutant: Mutant) -> Iterator[None]:
    """Put the mutant in place of the installed file, without bytecode of either."""
    package = find_spec("pam_pykeyinit")
    assert package
    assert package.submodule_search_locations
    folder = Path(package.submodule_search_locations[0])
    file = folder / mutant["file"]
    original = file.read_text()
    try:
        _put(file, mutant["source"])
        yield
    finally:
        _put(file, original)


def _put(file: Path, source: str) -> None:
    for bytecode in (file.parent / "__pycache__").glob(f"{file.stem}.*.pyc"):
        bytecode.unlink()
    file.write_text(source)


def passes(tests: list[str], log: Path) -> bool:
    """Whether the tests pass, in time, in a fork of this process; their output is in `log`."""
    child = os.fork()
    if child == 0:
        os.setsid()
        with log.open("wb") as said:
            os.dup2(said.fileno(), 1)
            os.dup2(said.fileno(), 2)
        where = [str(world.ROOT / "tests" / test) for test in tests]
        os._exit(pytest.main(["-q", "-x", "--no-header", "-k", CHOICE, *where]))
    end = time.monotonic() + PATIENCE
    while os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        if time.monotonic() > end:
            os.kill(child, signal.SIGKILL)
            break
        time.sleep(0.02)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)  # processes that the tests have left
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def main(mutants: Path, tests: list[str]) -> int:
    """Judge every mutant of the file."""
    with tempfile.TemporaryDirectory(dir=os.environ["WORLD"]) as folder:
        driver = world.build_driver(Path(folder))  # once, and not for each mutant
        world.build_driver = lambda where: driver
        log = Path(folder) / "log"
        checked: set[str] = set()
        for line in mutants.read_text().splitlines():
            mutant: Mutant = json.loads(line)
            chosen = tests or tests_of(mutant["file"])
            if not checked.issuperset(chosen):
                if not passes(chosen, log):
                    print(f"{log.read_text()}\nmutants: fails without one", file=sys.stderr)
                    return 1
                checked.update(chosen)
            try:
                with contextlib.ExitStack() as stack:
                    stack.enter_context(built(mutant))
                    if mutant["file"].endswith(".py"):
                        stack.enter_context(installed(mutant))
                    verdict = "survived" if passes(chosen, log) else "killed"
            except subprocess.CalledProcessError:  # the compiler rejects it
                verdict = "killed"
            print(json.dumps({"verdict": verdict, "mutant": label(mutant)}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
