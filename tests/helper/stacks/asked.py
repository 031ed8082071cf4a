"""The findings of `check` about this machine, and its mends, pasted."""

import json
import subprocess
from pathlib import Path
from typing import Any

from helper.conftest import HELPER

Finding = dict[str, Any]
PATH = f"{Path(HELPER).parent}:/usr/sbin:/usr/bin:/sbin:/bin"


def run(*words: "str | Path") -> "subprocess.CompletedProcess[str]":
    return subprocess.run([HELPER, "check", *words], capture_output=True, text=True)


def found(*words: "str | Path") -> list[Finding]:
    """Without quotas, which belong to the whole machine: other tests use them up."""
    done = run("--json", "--ignore", "quota", *words)
    assert done.returncode in (0, 1), done.stderr
    findings: list[Finding] = json.loads(done.stdout)["findings"]
    return findings


def rules_of(findings: list[Finding]) -> list[str]:
    return [finding["rule"] for finding in findings]


def paste(command: str) -> None:
    """Run it like an administrator's shell."""
    assert not command.startswith("by hand"), command
    done = subprocess.run(
        ["sh", "-c", command], capture_output=True, text=True, env={"PATH": PATH}, cwd="/"
    )
    assert done.returncode == 0, (command, done.stderr)


def mend(*rules: str) -> None:
    """These rules have findings; each mend is pasted in turn, until nothing is found."""
    findings = found()
    assert rules_of(findings) == [*rules]
    while findings:
        paste(findings[0]["mend"])
        left = found()
        assert len(left) < len(findings), (findings[0], left)
        findings = left
