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

from mutants.choice import CHOICE, tests_of
from support import turns, world
from support.workshop import workshop

PATIENCE = 300  # seconds for all tests of one mutant; then it is killed
Mutant = dict[str, str]


def label(mutant: Mutant) -> str:
    """The name of a mutant, here and in EXPLAINED."""
    return "{file} {function}: {before} -> {after}".format(**mutant)


@contextlib.contextmanager
def built(mutant: Mutant) -> Iterator[None]:
    """Build the mutant, and put it where libpam looks for it; what tests build has it too."""
    with workshop().changed({mutant["file"]: mutant["source"]}):
        made = workshop().build({})
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


def _roots_keys() -> set[tuple[str, str]]:
    """The keys in root's keyrings that outlive every process."""
    return {
        (ring, key)
        for ring in ("@u", "@us")
        for key in subprocess.check_output(["keyctl", "rlist", ring], text=True).split()
    }


@contextlib.contextmanager
def tidied() -> Iterator[None]:
    """A mutant may put a test's key into another keyring: take it out again."""
    before = _roots_keys()
    try:
        yield
    finally:
        for ring, key in _roots_keys() - before:
            subprocess.run(["keyctl", "unlink", key, ring], check=False, capture_output=True)


@turns.room(alone=False)  # so that no test waits for it
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
                    stack.enter_context(tidied())
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
