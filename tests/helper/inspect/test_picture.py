"""`show --dot`, as Graphviz reads it; and the use of colours by all commands."""

import json
import shutil
import subprocess
import xml.etree.ElementTree as ET

import pytest

from helper.conftest import HELPER, UID, Stage, output
from support import world

pytestmark = [pytest.mark.privileged, pytest.mark.usefixtures("_no_keys")]

RED = "\033[31m"


def _read_by_graphviz(picture: str) -> "dict[str, object]":
    """The graph as Graphviz reads it."""
    if not shutil.which("dot"):
        world.skip("needs graphviz")
    done = subprocess.run(
        ["dot", "-Tjson0"], input=picture, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_the_picture_has_every_key_and_link(stage: Stage) -> None:
    name = r'a "quoted\" name; [x]'
    add = f"keyctl add user '{name}' secret @u >/dev/null; keyctl newring inner @s >/dev/null"
    script = f"{add}; {HELPER} show --dot; echo END; {HELPER} show --json"
    picture, _, tree = output(stage, script, "--session=new").partition("END\n")
    read = _read_by_graphviz(picture)
    document = json.loads(tree)
    assert "secret" not in picture

    nodes = {int(each["name"]): each for each in read["objects"] if each["name"].isdigit()}  # type: ignore[attr-defined]
    assert set(nodes) == {key["serial"] for key in document["keys"]}
    labels = {each["label"].split("\\n")[0] for each in nodes.values()}
    assert {"keyring: _ses", f"keyring: _uid.{UID}", "keyring: inner"} <= labels
    assert len([label for label in labels if "quoted" in label]) == 1
    filled = {serial for serial, each in nodes.items() if each["style"] == "filled"}
    assert filled == {key["serial"] for key in document["keys"] if key["possessed"]}

    names = [each["name"] for each in read["objects"]]  # type: ignore[attr-defined]
    edges = {(names[e["tail"]], names[e["head"]]) for e in read["edges"]}  # type: ignore[attr-defined]
    links = {(str(key["serial"]), str(to)) for key in document["keys"] for to in key["links"]}
    anchors = {
        (anchor, str(document["keyrings"][word]["serial"]))
        for anchor, word in (("@s", "session"), ("@u", "user"), ("@us", "user-session"))
    }
    assert edges == links | anchors


def test_a_picture_of_one_keyring(stage: Stage) -> None:
    picture = output(stage, f"{HELPER} show --dot @u", "--session=new")
    assert '"@s"' not in picture
    assert f"_uid.{UID}" in picture


def test_the_picture_of_the_documents_is_one() -> None:
    """`sudo ./setup picture` creates it."""
    picture = ET.parse(world.ROOT / "docs/login.svg")
    texts = [element.text for element in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert {"keyring: _ses", "keyring: _uid.1000", "user: mail", "session keyring"} <= set(texts)
    assert "login.svg" in (world.ROOT / "README.md").read_text()


@pytest.mark.parametrize(
    ("variables", "option", "coloured"),
    [
        ("", "", False),
        ("", "--color=always", True),
        ("NO_COLOR=1", "--color=always", True),
        ("", "--color=auto", False),
        ("", "--color never", False),
    ],
)
def test_colours_where_no_terminal_is(
    stage: Stage, variables: str, option: str, coloured: bool
) -> None:
    script = f"keyctl revoke @s; {variables} {HELPER} show @s {option} || :"
    shown = output(stage, script, "--session=new")
    assert "revoked" in shown
    assert (RED in shown) == coloured


@pytest.mark.parametrize(
    ("variables", "option", "coloured"),
    [
        ("TERM=xterm", "", True),
        ("TERM=dumb", "", False),
        ("TERM=xterm NO_COLOR=1", "", False),
        ("TERM=xterm NO_COLOR=", "", True),  # no-color.org: if it is not empty
        ("TERM=xterm", "--color=never", False),
        ("TERM=dumb NO_COLOR=1", "--color=always", True),
    ],
)
def test_colours_on_a_terminal(variables: str, option: str, coloured: bool) -> None:
    mount = "mount -t devpts -o ptmxmode=666 devpts /dev/pts; mount --bind /dev/pts/ptmx /dev/ptmx"
    spawn = "import pty, sys; pty.spawn(sys.argv[1:])"
    show = f"keyctl revoke @s; exec env {variables} {HELPER} show @s {option}"
    command = ["/usr/bin/unshare", "--mount", "--propagation=unchanged"]
    command += ["/bin/sh", "-ec", f'{mount}; exec "$@"', "-"]
    session = ["/usr/bin/keyctl", "session", "-", "/bin/sh", "-c", show]
    done = subprocess.run(
        [*command, "/usr/bin/python3", "-c", spawn, *session],
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    assert "revoked" in done.stdout
    assert (RED in done.stdout) == coloured


@pytest.mark.parametrize("command", ["show", "explain user:x", "check", "try other root"])
def test_a_word_that_is_none(command: str) -> None:
    done = subprocess.run(
        [HELPER, *command.split(), "--color=sometimes"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == (2 if command == "check" else 125)
    choices = done.stderr.replace("'", "")  # Python 3.12 and later do not quote them
    assert "auto, always, never" in choices
