"""`run` starts a program: status, bad input, its user, its messages."""

import re
from pathlib import Path

import pytest

from helper.conftest import HELPER, Stage
from support import world

pytestmark = pytest.mark.privileged


@pytest.mark.parametrize(
    ("arguments", "code", "say"),
    [
        (["--", "sh", "-c", "exit 7"], 7, ""),
        (["sh", "-c", "exit 125"], 125, ""),
        (["/no/such/program"], 127, "no such program"),
        (["no-such-program"], 127, "see PATH"),
        ([""], 127, "no such program"),
        (["/etc/passwd"], 126, "execute permission"),
        (["/etc"], 126, "cannot execute /etc"),
        ([], 125, "no PROGRAM"),
        (["--"], 125, "no PROGRAM"),
        (["--nonsense", "true"], 125, "unknown option: --nonsense; see"),
        (["--strict=yes", "true"], 125, "unknown option"),
        (["--user"], 125, "--user needs a value"),
        (["--user", "nobody-here", "true"], 125, "unknown user: nobody-here"),
        (["--user", "", "true"], 125, "unknown user"),
        (["--user", ":", "true"], 125, "--user : names none"),
        (["--user", "alice:", "true"], 125, "no group after the colon"),
        (["--user", "alice:nogroup-here", "true"], 125, "unknown group"),
        (["--user", "61999", "true"], 125, "UID:GROUP"),
        (["--user", "4294967295:0", "true"], 125, "unknown user"),
        (["--user", "99999999999999999999:0", "true"], 125, "unknown user"),
        (["--user", "\udcff", "true"], 125, "unknown user"),
        (["--session", "mine", "true"], 125, "--session is keep"),
        (["--session", "name=", "true"], 125, "1 to 4095 bytes"),
        (["--session", "name=.hidden", "true"], 125, "reserved for the kernel"),
        (["--session", "name=_uid.0", "true"], 125, "reserved for the kernel"),
        (["--session", "name=_uid_ses.0", "true"], 125, "reserved for the kernel"),
        (["--session", "name=" + "n" * 4096, "true"], 125, "1 to 4095 bytes"),
        (["--session", "name=" + "n" * 4000, "true"], 0, ""),
        (["--link", "everything", "true"], 125, "--link is none"),
        (["--link", "", "true"], 125, "--link is none"),
        (["--tag", "", "true"], 125, "--tag needs"),
        (["--tag", "a\nb", "true"], 125, "--tag needs"),
        (["--revoke-on-exit", "--session=keep", "true"], 125, "revokes what it made"),
        (["--revoke-on-exit", "/no/such/program"], 127, "no such program"),
        (["--revoke-on-exit", "/etc"], 126, "cannot execute"),
        (["--revoke-on-exit", "sh", "-c", "exit 9"], 9, ""),
        (["--revoke-on-exit", "sh", "-c", "kill -TERM $$"], 143, ""),
    ],
)
def test_exit_status_and_the_one_line(
    stage: Stage, arguments: list[str], code: int, say: str
) -> None:
    started = stage.start("none", HELPER, "run", *arguments)
    lines = started.errors.splitlines()
    assert (started.code, len(lines)) == (code, 1 if say else 0), started.errors
    assert say in started.errors
    assert "Traceback" not in started.errors


def test_a_signal_ends_it_as_it_would_without(stage: Stage) -> None:
    assert stage.start("none", HELPER, "run", "sh", "-c", "kill -9 $$").code == -9


def test_a_script_without_a_shebang_is_run_by_sh(stage: Stage, tmp_path: Path) -> None:
    script = tmp_path / "plain"
    script.write_text('echo "plain $1"\n')
    script.chmod(0o755)
    assert stage.start("none", HELPER, "run", str(script), "argument").output == "plain argument\n"


def test_the_program_is_searched_as_the_user(stage: Stage, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir(mode=0o700)
    (hidden / "id").symlink_to("/usr/bin/id")
    environment = {"PATH": f"{hidden}:/usr/bin"}
    started = stage.start("none", HELPER, "run", "--user=alice", "id", "-un", env=environment)
    assert (started.code, started.output) == (0, "alice\n")


def test_ids_groups_and_nothing_else(stage: Stage) -> None:
    reported = stage.run("none", "--user", "alice").reported
    assert reported["groups"] == [world.gid("alice")]
    reported = stage.run("none", "--user", f"alice:{world.gid('bob')}").reported
    assert reported["ids"] == [world.uid("alice")] * 3 + [world.gid("bob")] * 3
    assert reported["groups"] == [world.gid("bob")]
    reported = stage.run("none", "--user", "61999:61999").reported
    assert reported["ids"] == [61999] * 6
    assert reported["groups"] == [61999]


def test_only_root_can_become_somebody_else(stage: Stage) -> None:
    as_bob = ("setpriv", "--reuid=bob", "--regid=bob", "--init-groups", HELPER, "run")
    started = stage.start("none", *as_bob, "--user=alice", "true")
    assert started.code == 125
    assert "cannot become" in started.errors
    assert stage.start("none", *as_bob, "--user=bob", "true").code == 0


def test_debug_says_each_step_in_words(stage: Stage) -> None:
    command = (HELPER, "run", "--debug", "--user=alice", "--session=new", "--tag=what for", "true")
    said = stage.start("own bob", *command).errors
    bob = world.uid("bob")
    said = re.sub(r"\bkeyring \d+|by \d+$", "keyring N", said, flags=re.MULTILINE)
    assert said.replace("pykeyinit-helper: ", "").splitlines() == [
        f"found: foreign, session keyring N of uid {bob}",
        "joined new session keyring N",
        "linked the user keyring into it",
        "added the tag what for",
        f"session keyring N of uid {bob} was replaced keyring N",
    ]


def test_a_way_back_is_refused(stage: Stage) -> None:
    lax = ("setpriv", "--securebits=+no_setuid_fixup", HELPER, "run", "--user=alice", "id")
    started = stage.start("none", *lax)
    assert (started.code, started.output) == (125, "")
    assert "could become root again" in started.errors


BY_BOB = ("setpriv", "--reuid=bob", "--regid=bob")


def test_who_is_the_user_already_has_the_users_groups(stage: Stage) -> None:
    extra = (*BY_BOB, f"--groups={world.gid('bob')},{world.gid('carol')}", HELPER, "run")
    started = stage.start("none", *extra, "--user=bob", "id")
    assert (started.code, started.output) == (125, "")
    assert "with its groups: Operation not permitted" in started.errors
    assert "leave --user out" in started.errors
    may = (*extra[:-2], "--inh-caps=+setgid", "--ambient-caps=+setgid", HELPER, "run")
    started = stage.start("none", *may, "--user=bob", "id", "-G")
    assert (started.code, started.output) == (125, "")  # it could become group root
    assert "could become root again" in started.errors
    assert stage.start("none", *extra, "id").code == 0


def test_who_is_the_user_already_loses_ambient_capabilities(stage: Stage) -> None:
    ambient = ("--inh-caps=+net_bind_service", "--ambient-caps=+net_bind_service")
    bob = (*BY_BOB, "--init-groups", *ambient)
    look = ("grep", "CapAmb", "/proc/self/status")
    kept = stage.start("none", *bob, HELPER, "run", *look).output.split()[1]
    assert int(kept, 16) != 0
    gone = stage.start("none", *bob, HELPER, "run", "--user=bob", *look)
    assert (gone.code, int(gone.output.split()[1], 16)) == (0, 0)


def test_who_could_become_root_is_refused_also_if_already_the_user(stage: Stage) -> None:
    ambient = ("--inh-caps=+setuid", "--ambient-caps=+setuid")
    bob = (*BY_BOB, "--init-groups", *ambient, HELPER, "run", "--user=bob", "id")
    started = stage.start("none", *bob)
    assert (started.code, started.output) == (125, "")


@pytest.mark.parametrize("uid", [2**31 - 1, 2**31, 2**32 - 2])
def test_the_largest_ids(stage: Stage, uid: int) -> None:
    started = stage.run("none", f"--user={uid}:{uid}", f"--session=name=large-{uid}")
    assert started.reported["ids"] == [uid] * 6
    assert started.errors == ""
    assert started.description[4] == f"large-{uid}"
