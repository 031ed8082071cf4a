"""The promises of docs/fleets.md: the schema of check's JSON, and the metrics."""

import json
import os
import runpy
import subprocess
from pathlib import Path
from typing import Any

import pytest

from support import world

HELPER = "/usr/local/bin/pykeyinit-helper"
METRICS = world.ROOT / "conf" / "prometheus/pykeyinit-metrics"
UNITS = ("prometheus/pykeyinit-metrics.service", "prometheus/pykeyinit-metrics.timer")
SCHEMA = json.loads((world.ROOT / "docs/check.schema.json").read_text())
SERVICES = {
    "good": "session optional pam_pykeyinit.so force revoke\n",
    "strict": "session required pam_pykeyinit.so force revoke\n",
    "twice": "session optional pam_keyinit.so force\nsession optional pam_pykeyinit.so force\n",
    "typo": "session option pam_unix.so\n",
}

pytestmark = pytest.mark.privileged


@pytest.fixture
def system(tmp_path: Path) -> Path:
    """A folder with services that have findings of several kinds."""
    folder = tmp_path / "system/etc/pam.d"
    folder.mkdir(parents=True)
    for name, text in SERVICES.items():
        (folder / name).write_text(text)
    return tmp_path / "system"


def _errors(reported: object) -> list[str]:
    jsonschema = pytest.importorskip("jsonschema", reason="needs python3-jsonschema")
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    found = jsonschema.Draft202012Validator(SCHEMA).iter_errors(reported)
    return [error.message for error in found]


@pytest.mark.parametrize("root", ["system", "/"])
def test_what_check_says_is_as_the_schema_has_it(system: Path, root: str) -> None:
    where = system if root == "system" else Path("/")
    asked = [HELPER, "check", "--json", "--root", str(where)]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    reported = json.loads(done.stdout)
    assert _errors(reported) == []
    if root == "system":
        assert {finding["rule"] for finding in reported["findings"]} >= {"strict", "twice"}


def test_the_schema_refuses_what_it_does_not_allow(system: Path) -> None:
    asked = [HELPER, "check", "--json", "--root", str(system)]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    for name, wrong in (("schema", 2), ("services", None), ("root", "relative")):
        assert _errors({**json.loads(done.stdout), name: wrong}), name
    for name, wrong in (("line", "1"), ("rule", "Two words"), ("services", "sshd")):
        reported = json.loads(done.stdout)
        reported["findings"][0][name] = wrong
        assert _errors(reported), name


def _metrics(file: Path, path: str) -> tuple[int, dict[str, dict[str, float]]]:
    """The exit status, and the result of Prometheus's own parser: by name, then by the labels."""
    parser = pytest.importorskip("prometheus_client.parser", reason="needs prometheus-client")
    done = subprocess.run(
        ["/usr/bin/python3", "-I", METRICS, file], env={"PATH": path}, check=False
    )
    found: dict[str, dict[str, float]] = {}
    for family in parser.text_string_to_metric_families(file.read_text()):
        assert family.type == "gauge"
        assert family.documentation
        for sample in family.samples:
            labels = ",".join(sample.labels.values())
            found.setdefault(sample.name.removeprefix("pykeyinit_"), {})[labels] = sample.value
    assert sorted(path.name for path in file.parent.iterdir() if path.is_file()) == [file.name]
    return done.returncode, found


def test_the_metrics_of_this_machine(tmp_path: Path) -> None:
    file = tmp_path / "pykeyinit.prom"
    status, found = _metrics(file, "/usr/local/bin:/usr/bin:/bin")
    assert status == 0
    assert found["check_success"] == {"": 1}
    assert found["check_services"][""] > 5
    assert file.stat().st_mode & 0o777 == 0o644
    maxkeys = Path("/proc/sys/kernel/keys/root_maxkeys").read_text()
    assert found["keys_allowed"]["root,0"] == int(maxkeys)
    assert 0 < found["keys_used"]["root,0"] < found["keys_allowed"]["root,0"]


def test_the_metrics_count_what_check_finds(tmp_path: Path, system: Path) -> None:
    fake = tmp_path / "bin/pykeyinit-helper"
    fake.parent.mkdir()
    fake.write_text(f'#!/bin/sh\nexec {HELPER} "$@" --root {system}\n')
    fake.chmod(0o755)
    (tmp_path / "out").mkdir()
    _, found = _metrics(tmp_path / "out/x.prom", f"{fake.parent}:/usr/bin:/bin")
    assert found["check_findings"]["strict,false"] >= 1
    assert found["check_findings"]["twice,false"] == 1
    assert found["check_services"] == {"": len(SERVICES)}


def test_of_many_users_those_next_to_their_quota(tmp_path: Path) -> None:
    """Prometheus keeps four series of each, and a machine may have thousands of users."""
    program: dict[str, Any] = runpy.run_path(str(METRICS))
    rows = [(f"u{n}", f"{n}", [f"{n}", "200", "100", "20000"]) for n in range(1, 31)]
    rows += [("root", "0", ["1", "1000000", "9", "25000000"]), ("none", "99", ["0"] * 4)]
    rows[0][2][2] = "19000"  # a few large keys
    shown = [user for user, _, _ in program["shown"](rows)]
    assert shown == ["root", "u1", *(f"u{n}" for n in range(30, 11, -1))]

    _, found = _metrics(tmp_path / "x.prom", "/usr/local/bin:/usr/bin:/bin")
    assert "root,0" in found["keys_used"]
    assert len(found["keys_used"]) <= 21
    assert found["users"][""] >= len(found["keys_used"])


@pytest.mark.parametrize("broken", ["", "echo '{\"schema\": 2}'", "echo no", "exit 2"])
def test_check_that_does_not_work_is_a_metric_too(tmp_path: Path, broken: str) -> None:
    fake = tmp_path / "bin/pykeyinit-helper"
    fake.parent.mkdir()
    if broken:
        fake.write_text(f"#!/bin/sh\n{broken}\n")
        fake.chmod(0o755)
    (tmp_path / "out").mkdir()
    status, found = _metrics(tmp_path / "out/x.prom", f"{fake.parent}:/usr/bin:/bin")
    assert status == 1
    assert found["check_success"] == {"": 0}
    assert "check_findings" not in found
    assert "root,0" in found["keys_used"]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    done = subprocess.run(
        ["/usr/bin/python3", "-I", METRICS, tmp_path / "no/x.prom"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "cannot write" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_units(tmp_path: Path) -> None:
    """systemd accepts them without a message, with the program at the named path."""
    for unit in UNITS:
        text = (world.ROOT / "conf" / unit).read_text()
        text = text.replace("/usr/local/sbin/pykeyinit-metrics", "/bin/true")
        (tmp_path / Path(unit).name).write_text(text)
    names = [str(tmp_path / Path(unit).name) for unit in UNITS]
    done = subprocess.run(
        ["/usr/bin/systemd-analyze", "verify", "--man=no", *names],
        env={**os.environ, "SYSTEMD_LOG_LEVEL": "warning"},
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in done.stderr.splitlines() if "pykeyinit-metrics" in line]
    assert ours == []
