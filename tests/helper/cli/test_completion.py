"""Bash completion, as bash calls it: the words that it offers."""

import subprocess

import pytest

from support import world

pytestmark = pytest.mark.privileged

FILE = "stage/usr/local/share/bash-completion/completions/pykeyinit-helper"
CALL = """
. "$0"
complete -p pykeyinit-helper >&2
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_pykeyinit_helper
printf '%s\\n' "${COMPREPLY[@]}"
"""
OPTIONS = (
    "--session --link --user --tag --credential --credential-timeout --new-session"
    " --revoke-on-exit --strict --quiet --debug --help"
)


def offered(*words: str) -> list[str]:
    folder = world.folder()
    assert folder
    command = ["bash", "--norc", "-c", CALL, str(folder / FILE), "pykeyinit-helper", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == "complete -F _pykeyinit_helper pykeyinit-helper\n"
    return sorted(set(done.stdout.split()))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("", "run show explain sessions watch adopt try check enable disable --version --help"),
        ("sh", "show"),
        ("se", "sessions"),
        ("run --", OPTIONS),
        ("run --session ", "keep new user-session name="),
        ("run --session =", "keep new user-session name="),  # as bash splits --session=
        ("run --session = n", "new name="),
        ("run --session = name = ", ""),
        ("run --session = name = mine --st", "--strict"),
        ("run --link p", "persistent"),
        ("run --user ali", "alice"),
        ("run --user = ali", "alice"),
        ("run --user = alice --st", "--strict"),
        ("run --tag ", ""),
        ("run --credential ", ""),
        ("run --credential = ", ""),
        ("run --credential tok", ""),
        ("run --credential token = /etc/nssw", "/etc/nsswitch.conf"),
        ("run --credential = token = /etc/passw", "/etc/passwd"),
        ("run --credential = token = /etc/passwd --st", "--strict"),
        ("run --credential token = /x runuse", "runuser"),
        ("run --credential token = /x -- runuse", "runuser"),
        ("run --credential-timeout ", ""),
        ("run --credential-timeout = 90 --st", "--strict"),
        ("run --user = alice -- runuse", "runuser"),
        ("run --quiet runuse", "runuser"),
        ("run -- cat /etc/passw", "/etc/passwd"),
        ("show @u", "@u @us"),
        ("show --", "--json --dot --color --help"),
        ("show --color ", "auto always never"),
        ("show --color = n", "never"),
        ("explain ke", "keyring:"),
        ("explain @u", "@u @us"),
        ("explain --", "--json --color --help"),
        ("sessions ", "--json --color --help"),
        ("watch @u", "@u @us"),
        ("watch --", "--json --help"),
        ("adopt ", "--help"),
        ("try othe", "other"),
        ("try other ali", "alice"),
        ("try --confdir /etc/pam", "/etc/pam.d"),
        ("try --password-fd ", ""),
        ("check --", "--root --json --ignore --color --help"),
        ("check --root /etc/pam", "/etc/pam.d"),
        ("check --ignore un", "unreadable unreached"),
        ("enable othe", "other"),
        ("enable other --", "--dry-run --user --options --help"),
        ("enable --options ", ""),
        ("disable --", "--dry-run --user --all --help"),
        ("disable --user ali", "alice"),
    ],
)
def test_what_is_offered(words: str, expected: str) -> None:
    found = [word for word in offered(*words.split(" ")) if not word.endswith("-")]
    assert found == sorted(expected.split())
