"""conf/pam_exec/session-keys, with the real pam_exec, runuser and su."""

import re
import subprocess
import tempfile
from pathlib import Path

import pytest

from helper.conftest import HELPER, Stage
from helper.run.secret_files import SECRET, Secrets
from helper.run.supervisors import PERMIT, pam_services
from support import quotas, world
from support.journal import Journal

pytestmark = pytest.mark.privileged

SCRIPT = world.ROOT / "conf" / "pam_exec/session-keys"
KEYRING = "session optional pam_pykeyinit.so force revoke\n"
FIND = "key=$(keyctl search @s user token) && keyctl rdescribe $key"
AS_BOB = ("setpriv", "--reuid=bob", "--regid=bob", "--init-groups")


class Keys:
    """The script, and the folder with a secret of dave and with none of others."""

    def __init__(self, secrets: Secrets) -> None:
        self.secrets = secrets
        folder = secrets.folder / "session-keys"
        (folder / "dave").mkdir(parents=True)
        folder.chmod(0o700)
        (folder / "dave/token").write_text(SECRET)
        (folder / "dave/with a space").write_text("other")
        (folder / "bob").mkdir()
        text = SCRIPT.read_text()
        assert text.count('"/etc/session-keys/$PAM_USER"') == 1
        self.script = secrets.folder / "script"
        self.script.write_text(text.replace('"/etc/session-keys', f'"{folder}'))
        self.script.chmod(0o755)

    def line(self, options: str = "quiet seteuid") -> str:
        """The line as in the script's comment."""
        line = f"session optional pam_exec.so {options} {self.script}\n"
        if options == "quiet seteuid":
            shown = line.replace(str(self.script), "/usr/local/sbin/session-keys")
            assert f"\n#   {KEYRING}#   {shown}" in SCRIPT.read_text()
            page = (world.ROOT / "docs/credentials.md").read_text()
            assert f"\n    {KEYRING}    {shown}" in page
        return line


@pytest.fixture
def keys(secrets: Secrets) -> Keys:
    return Keys(secrets)


def login(stage: Stage, keys: Keys, stack: str, *command: str, first: str = "none") -> str:
    """All output of a session that runuser or su opens."""
    service = "su" if "su" in command else "runuser"
    folder = Path(tempfile.mkdtemp(dir=keys.secrets.folder))
    with pam_services(folder, **{service: PERMIT + stack}):
        started = stage.start(first, *command)
    return started.output + started.errors


def runuser(script: str, user: str = "dave") -> tuple[str, ...]:
    return ("runuser", "-u", user, "--", "sh", "-c", script)


def test_the_user_has_the_keys(stage: Stage, keys: Keys) -> None:
    """They belong to root; the user, who possesses them, can use them, and not change them."""
    script = (
        f"{FIND} && keyctl pipe $key; echo; keyctl pipe $(keyctl search @s user 'with a space');"
        " echo; printf ^%08x $key | grep -f - /proc/keys | sed 's/  */ /g' | cut -d' ' -f4;"
        " keyctl timeout $key 0; keyctl setperm $key 0x3f3f0000; keyctl revoke $key"
    )
    found = login(stage, keys, KEYRING + keys.line(), *runuser(f"exec 2>&1; {script}"))
    assert found.replace("10h", "9h").splitlines() == [
        "user;0;0;1b010000;token",
        SECRET,
        "other",
        "9h",
        "keyctl_set_timeout: Permission denied",
        "keyctl_setperm: Permission denied",
        "keyctl_revoke: Permission denied",
    ]


def test_a_link_elsewhere_survives_the_session(stage: Stage, keys: Keys) -> None:
    """Only the timeout ends such a key, as docs/credentials.md says."""
    script = "key=$(keyctl search @s user token); [ -z $link ] || keyctl link $key @u; echo $key"
    read = ("setpriv", "--reuid=dave", "--regid=dave", "--clear-groups", HELPER, "run")
    for link, found in (("", 1), ("1", 0)):
        login_of_dave = runuser(f"link={link}; {script}")
        key = login(stage, keys, KEYRING + keys.line(), *login_of_dave).strip()
        done = subprocess.run([*read, "keyctl", "pipe", key], capture_output=True, check=False)
        assert done.returncode == found
    assert done.stdout.decode() == SECRET
    subprocess.run([*read, "keyctl", "unlink", key, "@u"], check=True, capture_output=True)


def test_it_takes_nothing_of_the_users_quota(stage: Stage, keys: Keys) -> None:
    with quotas.used_up("dave", but=200):
        found = login(stage, keys, KEYRING + keys.line(), *runuser(FIND))
    assert found == "user;0;0;1b010000;token\n"


@pytest.mark.parametrize("user", ["bob", "carol"])
def test_a_user_without_secrets(stage: Stage, keys: Keys, user: str) -> None:
    """With an empty folder, and without one: that is no failure."""
    stack = KEYRING + keys.line().replace("optional", "required")
    script = "keyctl rlist @s | wc -w"
    assert login(stage, keys, stack, *runuser(script, user)) == "1\n"


@pytest.mark.parametrize("first", ["none", "own bob", "own root"])
def test_without_a_new_keyring_nobody_gets_them(stage: Stage, keys: Keys, first: str) -> None:
    """Without our line @s is the caller's, or root's user-session keyring."""
    script = f"keyctl search @s user token; {FIND}"
    found = login(stage, keys, keys.line(), *runuser(script), first=first)
    assert "key not available" in found
    assert "user;" not in found


def test_the_path_of_pams_environment_is_not_used(stage: Stage, keys: Keys) -> None:
    """pam_exec passes it on, and pam_env(8) may have read it from a file of the user."""
    planted = keys.secrets.folder / "keyctl"
    planted.write_text(f"#!/bin/sh\ntouch {keys.secrets.folder}/planted\n")
    planted.chmod(0o755)
    settings = keys.secrets.folder / "environment"
    settings.write_text(f"PATH DEFAULT={keys.secrets.folder}:/usr/bin:/bin\n")
    stack = f"{KEYRING}session required pam_env.so conffile={settings} readenv=0\n{keys.line()}"
    found = login(stage, keys, stack, *runuser(f"PATH=/usr/bin:/bin; {FIND}"))
    assert found == "user;0;0;1b010000;token\n"
    assert not (keys.secrets.folder / "planted").exists()


def test_pam_exec_logs_only_a_failure(stage: Stage, keys: Keys, journal: Journal) -> None:
    """The script succeeds when the session is opened, and when it is closed."""
    stack = KEYRING + keys.line()
    for number, secret in enumerate(("small", "x" * 32768)):
        (keys.secrets.folder / "session-keys/dave/token").write_text(secret)
        assert login(stage, keys, stack, *runuser("echo started")) == "started\n"
        texts = [line.text for line in journal.read() if "pam_exec" in line.text]
        assert len(texts) == number
        assert secret not in "".join(texts)


def test_a_keyring_that_other_processes_of_the_user_may_have_gets_none(
    stage: Stage, keys: Keys
) -> None:
    stack = KEYRING.replace("revoke", "name=dave-keys") + keys.line()
    found = login(stage, keys, stack, *runuser(f"keyctl rdescribe @s; {FIND}"))
    assert found.splitlines()[0].endswith(";dave-keys")
    assert "key not available" in found


@pytest.mark.parametrize(("options", "has"), [("quiet seteuid", True), ("quiet", False)])
def test_su_needs_seteuid(stage: Stage, keys: Keys, options: str, has: bool) -> None:
    """su keeps the caller's real user id, with which pam_exec runs the script otherwise."""
    stack = KEYRING + keys.line(options)
    found = login(stage, keys, stack, *AS_BOB, "su", "dave", "-c", f"id -un; {FIND}")
    assert found.startswith("dave\n")
    assert (re.search(r"^user;0;\d+;1b010000;token$", found, re.MULTILINE) is not None) is has


def test_the_script_is_short() -> None:
    assert SCRIPT.read_text().count("\n") < 30
