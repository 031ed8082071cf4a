"""./setup: it names an unknown argument, and does nothing."""

import subprocess
from pathlib import Path

import pytest

from support import world


def call(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([world.ROOT / "setup", *words], capture_output=True, text=True)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["frobnicate"], "unknown command: frobnicate"),
        (["--deb"], "unknown command: --deb"),
        (["deb", "--tst"], "deb: unknown word: --tst"),
        (["deb", "trixie"], "deb: unknown word: trixie"),
        (["deb", "--for"], "deb --for: which suite?"),
        (["install", "/opt"], "install: unknown word: /opt"),
        (["uninstall", "--yes"], "uninstall: unknown word: --yes"),
        (["demo", "--fast"], "demo: unknown word: --fast"),
        (["lint", "helper"], "lint: unknown word: helper"),
        (["dist", "--wheel"], "dist: unknown word: --wheel"),
        (["promises", "x"], "promises: unknown word: x"),
        (["picture", "x"], "picture: unknown word: x"),
        (["rpm", "--for"], "rpm: unknown word: --for"),
        (["bench", "x"], "bench: this is no number of rounds: x"),
        (["bench", "5", "6"], "bench: unknown word: 6"),
        (["mutants", "--every", "9", "nosuch.py"], "mutants: there is no such file of the core"),
        (["claims", "--of", "x"], "claims: unknown word: --of"),
    ],
)
def test_a_word_that_it_does_not_know_is_named(words: list[str], named: str) -> None:
    done = call(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"setup: {named}")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["vm", "--fest"], "./setup vm: error: unrecognized arguments: --fest"),
        (["vm", "bookwurm"], "./setup vm: error: no such suite: bookwurm"),
        (["fuzz", "nosuch"], "./setup fuzz: error: no such target: nosuch"),
    ],
)
@pytest.mark.privileged
def test_nothing_is_installed_for_a_word_that_is_not_known(words: list[str], named: str) -> None:
    done = call(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert named in done.stderr
    assert "Installing" not in done.stderr


@pytest.mark.parametrize(
    ("words", "needed"),
    [
        ("--report", "python3\n"),
        ("--report --fast trixie", "python3\nmachines\n"),
        ("--fast", "python3\nmachines\n"),
        ("--matrix", "python3\nmachines vagrant\n"),
        ("--matrix --report", "python3\nmachines vagrant\n"),
        ("", "python3\nmachines vagrant\n"),
        ("trixie", "python3\nmachines vagrant\n"),
    ],
)
def test_vm_needs_what_it_runs(words: str, needed: str, tmp_path: Path) -> None:
    """A report runs nothing: Vagrant and what it needs are no small thing to install."""
    (tmp_path / "python3").symlink_to("/bin/true")
    script = f"""here={world.ROOT} PATH={tmp_path}:$PATH machines=machines vagrant=vagrant
    need_root() {{ :; }}
    need() {{ echo "$*"; }}
    set -- {words}
    . "$here/build-aux/setup/vm.sh" """
    done = subprocess.run(["sh", "-ec", script], capture_output=True, text=True, check=True)
    assert done.stdout == needed


def test_alone_it_lists_its_commands() -> None:
    done = call()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: ./setup COMMAND")
    helped = call("--help")
    assert (helped.returncode, helped.stdout) == (0, done.stderr)
