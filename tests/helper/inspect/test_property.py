"""`explain` and `show` compared with the kernel, on random keyrings of two users.

The verdict of `explain` matches what a process can do; the keys with a star in `show` are those
that request_key(2) finds; and each mend works.
"""

import os
import pickle
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from helper.conftest import UID
from helper.inspect.random_keyrings import Keyrings, found, tries
from pam_pykeyinit.kernel import keyctl, syscalls
from pykeyinit_helper.inspect.diagnosis import diagnose
from pykeyinit_helper.inspect.examine import examine
from pykeyinit_helper.inspect.explain import mend_of
from pykeyinit_helper.inspect.keynames import parse
from pykeyinit_helper.inspect.tree import Tree
from support.child import in_child

pytestmark = [
    pytest.mark.privileged,
    pytest.mark.lengthy,
    pytest.mark.usefixtures("_no_keys", "_room"),
]

CASES = 1000
AT_ONCE = 12  # some wait for a key to expire; who looks at keys looks at those of all
MINE, STRANGER = int(UID), int(UID) + 1
LIMITS = {"maxkeys": 20_000, "maxbytes": 2_000_000}

Wrong = list[tuple[object, ...]]


@pytest.fixture
def _room() -> Iterator[None]:
    """Quotas that are large enough for many concurrent cases."""
    files = {Path("/proc/sys/kernel/keys", name): least for name, least in LIMITS.items()}
    before = {file: file.read_text() for file in files}
    for file, least in files.items():
        if int(before[file]) < least:
            file.write_text(str(least))
    yield
    for file, text in before.items():
        if file.read_text() != text:
            file.write_text(text)


@pytest.fixture
def strangers() -> Iterator[list[int]]:
    """Keys of another user, with view, read, search or link for others, or some of these."""

    def make() -> list[int]:
        os.setgroups([])
        os.setresgid(*[STRANGER] * 3)
        os.setresuid(*[STRANGER] * 3)
        syscalls.join_anonymous_session()
        keyctl.link(syscalls.USER_KEYRING, syscalls.SESSION_KEYRING)
        keys = []
        for bits in (0x01, 0x03, 0x09, 0x0B, 0x11, 0x13, 0x19, 0x1B, 0x10, 0x1A):
            ring = keyctl.add_keyring(f"ring{bits}", syscalls.USER_KEYRING)
            keys += [keyctl.add_user_key(f"stranger{bits}", b"x", ring), ring]
            for key in keys[-2:]:
                keyctl.set_permissions(key, 0x3F3F0000 | bits)
        return keys

    yield in_child(make)
    become = ["setpriv", f"--reuid={STRANGER}", f"--regid={STRANGER}", "--clear-groups"]
    subprocess.run([*become, "keyctl", "clear", "@u"], check=True)


class Lane:
    """A process that runs cases, one after the other, concurrently with others."""

    def __init__(self, cases: range, strangers: list[int]) -> None:
        reading, writing = os.pipe()
        if os.fork() == 0:
            os.close(reading)
            wrong: Wrong = []
            try:
                for case in cases:
                    wrong += in_child(lambda case=case: play(case, strangers))  # type: ignore[misc]
            except BaseException as error:
                wrong.append(("lane", str(error)))
            with os.fdopen(writing, "wb") as pipe:
                pickle.dump(wrong, pipe)
            os._exit(0)
        os.close(writing)
        self._pipe = reading

    def wrong(self) -> Wrong:
        """The failures of its cases; waits for its end."""
        with os.fdopen(self._pipe, "rb") as pipe:
            found: Wrong = pickle.load(pipe)
        os.wait()
        return found


def play(case: int, strangers: list[int]) -> Wrong:
    """Run one case in a process of its own; return its failures."""
    asker = STRANGER if case % 6 == 0 else MINE
    keyrings = Keyrings(case, MINE, asker, strangers)
    keyrings.build()
    wrong = [*verdicts(keyrings), *stars(keyrings)]
    if case % 10 == 1:
        wrong += mended(keyrings)
    keyrings.remove()
    return [(case, *what) for what in wrong]


def verdicts(keyrings: Keyrings) -> Wrong:
    """Disagreements between `explain` and the kernel, or between its sentences and its verdict.

    Other cases change the user keyring meanwhile, and the kernel collects dead keys: its answer
    counts only if it is the same before and after.
    """
    wrong: Wrong = []
    for word in keyrings.words:
        asked = parse(word)
        assert asked
        before = tries(word)
        case = examine(asked)
        findings = diagnose(case)
        codes = {finding.code for finding in findings}
        if before == tries(word) != case.good:
            wrong.append(("verdict", word, case.good, case.error, codes))
        if case.good != bool(codes & {"found", "by-number"}):
            wrong.append(("no reason", word, case.good, codes))
        if case.good and mend_of(findings):
            wrong.append(("a mend of what is well", word, mend_of(findings)))
    return wrong


def stars(keyrings: Keyrings) -> Wrong:
    """Keys that `show` marks as possessed and the kernel does not find."""
    tree = Tree().read()
    negative = {serial for serial, row in tree.rows.items() if "N" in row.flags}
    wrong: Wrong = []
    for serial in tree.paths:
        key = tree.keys[serial]
        if key.kind != "user" or key.description not in keyrings.names or serial in negative:
            continue
        # Another key of that name can come first, even one without view permission.
        if found(key.kind, key.description) <= 0:
            wrong.append(("star", serial, key.description))
    return wrong


def mended(keyrings: Keyrings) -> Wrong:
    """Mends that were pasted into a shell and changed nothing."""
    wrong: Wrong = []
    for word in keyrings.words[:3]:
        asked = parse(word)
        assert asked
        case = examine(asked)._replace(can_adopt=True, shell="/bin/sh", helper="pykeyinit-helper")
        mend = mend_of(diagnose(case))
        if mend is None:
            continue
        ask = f"keyctl request {asked.kind} {asked.description}"
        script = f"{mend.command} >&2{'' if ' run ' in mend.command else '; ' + ask}"
        shell = subprocess.run(
            ["sh", "-c", f"PATH=/usr/local/bin:$PATH; {script}"], input=ask.encode(),
            capture_output=True,
        )  # fmt: skip
        if shell.returncode:
            wrong.append(("mend", word, mend.command, shell.stderr))
    return wrong


def test_a_thousand_cases(strangers: list[int], tally: dict[str, int]) -> None:
    lanes = [Lane(range(first, CASES, AT_ONCE), strangers) for first in range(AT_ONCE)]
    wrong = [what for lane in lanes for what in lane.wrong()]
    tally["random keyrings"] = CASES
    assert wrong == [], "\n".join(map(str, wrong[:20]))
