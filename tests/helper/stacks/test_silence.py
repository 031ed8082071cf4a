"""Findings silenced by name, and the status of `check`: for monitoring."""

import json
import re
import shutil
from pathlib import Path

import pytest

from helper.stacks.asked import found, rules_of, run
from pykeyinit_helper.stacks import rules
from support import world
from support.pam_folder import DEBIAN

# The silence file belongs to the machine, and each `check` reads it.
pytestmark = [pytest.mark.privileged, pytest.mark.whole_machine]

OURS = "session optional pam_pykeyinit.so force revoke\n"
FILE = Path("/etc/pykeyinit-helper/ignore")
REQUIRED = OURS.replace("optional", "required")


@pytest.fixture(autouse=True)
def services(machine: Path) -> Path:
    """Two services with the same problem, and one without a keyring."""
    for name in ("sshd", "su-l"):
        (machine / name).write_text(REQUIRED)
    (machine / "cron").write_text("session required pam_unix.so\n")
    return machine


@pytest.fixture
def file() -> Path:
    FILE.parent.mkdir(exist_ok=True)
    return FILE


@pytest.fixture(autouse=True)
def _no_file() -> "object":
    yield
    shutil.rmtree(FILE.parent, ignore_errors=True)


def test_by_the_option() -> None:
    assert rules_of(found()) == ["strict", "strict", "without"]
    assert rules_of(found("--ignore", "strict")) == ["without"]
    assert rules_of(found("--ignore", "strict:sshd,without")) == ["strict"]
    assert rules_of(found("--ignore", "strict:sshd", "--ignore=strict:su-l")) == ["without"]
    assert rules_of(found("--ignore", "strict:cron")) == ["strict", "strict", "without"]
    done = run("--ignore", "strict,without,quota")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(": nothing to mend; [3-9] silenced\n", done.stdout)
    ignored = json.loads(run("--json", "--ignore", "strict,quota").stdout)["ignored"]
    assert [each["rule"] for each in ignored if each["rule"] != "quota"] == ["strict", "strict"]


def test_by_the_file(file: Path) -> None:
    file.write_text("# of this machine\n\nwithout  # cron wants none\nstrict:su-l quota\n")
    assert [(each["rule"], each["services"]) for each in found()] == [("strict", ["sshd"])]
    assert run().returncode == 1
    file.write_text("strict\n")
    assert run("--ignore", "quota").returncode == 0


def test_that_others_may_not_silence(file: Path, tmp_path: Path) -> None:
    file.write_text("strict without")
    file.chmod(0o666)
    assert [each["file"] for each in found()] == [str(FILE)]
    root = tmp_path / "root"
    shutil.copytree(DEBIAN, root / "etc/pam.d")
    (root / "etc/pam.d/sshd").write_text(REQUIRED)
    (root / "etc/pykeyinit-helper").mkdir()
    (root / "etc/pykeyinit-helper/ignore").write_text("strict\n")
    assert "strict" in rules_of(found("--root", root))


@pytest.mark.parametrize("name", ["stritc", "", "strict sshd", ":sshd", "all"])
def test_a_name_of_no_rule(name: str, file: Path) -> None:
    done = run("--ignore", name)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "no rule has the name" in done.stderr
    assert "strict" in done.stderr
    file.write_text("\nstritc\n")
    done = run()
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{FILE}:2: no rule has the name 'stritc'" in done.stderr


def test_the_names_of_the_manual_page_and_of_completion() -> None:
    """In the same order, and complete."""
    folder = world.ROOT / "helper"
    page = (folder / "pykeyinit-helper.8").read_text()
    part = page.partition("These are the rules, in the order of the report:")[2].partition(".El")[
        0
    ]
    named = [word.strip(" ,") for line in part.splitlines() if line.startswith(".It Cm ")
             for word in line.removeprefix(".It Cm ").split(" ") if word.strip(" ,")]  # fmt: skip
    assert named == list(rules.NAMES)
    completion = (folder / "pykeyinit-helper.bash").read_text()
    assert f"words='{' '.join(rules.NAMES)}'" in " ".join(completion.split())


def test_the_status_is_of_what_is_wrong() -> None:
    """The status for a note alone is 0: an installed Debian has one."""
    assert run("--ignore", "quota").returncode == 1
    done = run("--ignore", "strict,quota")
    assert done.returncode == 0
    assert "cron: without (note)\n" in done.stdout
    reported = json.loads(run("--json", "--ignore", "quota").stdout)["findings"]
    assert [(each["rule"], each["note"]) for each in reported] == [
        ("strict", False), ("strict", False), ("without", True),
    ]  # fmt: skip
