"""`show` on prepared keyrings: golden outputs, text and JSON, serial numbers normalised."""

import json
import re

import pytest

from helper.conftest import HELPER, UID, Stage, output
from support import world

pytestmark = [pytest.mark.privileged, pytest.mark.usefixtures("_no_keys")]


def normalised(text: str) -> str:
    """Serial numbers become A, B, C in the order of their appearance; the quota is removed."""
    names: dict[str, str] = {}

    def name(match: "re.Match[str]") -> str:
        letter = names.setdefault(match[0].strip(), chr(ord("A") + len(names)))
        return letter.rjust(len(match[0]))

    text = text.replace(HELPER, "HELPER")
    text = re.sub(r"Quota of .*\n", "", text)
    return re.sub(r"(?m)^ *\d{5,10}(?= )", name, text)


SHOWN = f"""\
    SERIAL OWNER    POSSESS USER   GROUP  OTHER  EXPIRES   KEY
@t  thread keyring: none; the kernel makes it when something is put into it
@p  process keyring: none; the kernel makes it when something is put into it
@s  session keyring
         A {UID}    alswrv  ----rv ------ ------ never   * keyring: _ses
         B {UID}    -lswrv  alswrv ------ ------ never   * \\_ keyring: _uid.{UID}
         C {UID}    alswrv  -----v ------ ------ never   *    \\_ user: colour
@u  user keyring
         B {UID}    -lswrv  alswrv ------ ------ never   * keyring: _uid.{UID} (see above)
@us user-session keyring
         D {UID}    -lswrv  alswrv ------ ------ never     keyring: _uid_ses.{UID}
         B {UID}    -lswrv  alswrv ------ ------ never   * \\_ keyring: _uid.{UID} (see above)
* possessed: request_key(2) of this process finds it
"""

SHOWN_DEAD = """\
    SERIAL OWNER    POSSESS USER   GROUP  OTHER  EXPIRES   KEY
@s  session keyring: revoked; nothing is found in it
To mend it: HELPER adopt
"""


def test_show(stage: Stage) -> None:
    script = f"keyctl add user colour blue @u >/dev/null; {HELPER} show"
    assert normalised(output(stage, script, "--session=new")) == SHOWN


def test_show_tells_where_a_keyring_came_from(stage: Stage) -> None:
    """The text of the module's option `tag`; it may contain control characters."""
    add = "printf 'service=sshd tty=ssh\\033[2J' | keyctl padd user pam_pykeyinit @s >/dev/null"
    shown = output(stage, f"{add}; {HELPER} show @s", "--session=new")
    assert "\\_ user: pam_pykeyinit: service=sshd tty=ssh\\x1b[2J\n" in shown
    document = json.loads(output(stage, f"{add}; {HELPER} show @s --json", "--session=new"))
    tags = {key["description"]: key["tag"] for key in document["keys"]}
    assert tags["pam_pykeyinit"] == "service=sshd tty=ssh\033[2J"
    assert tags["_ses"] is None


def test_show_what_is_missing(stage: Stage) -> None:
    shown = output(stage, f"{HELPER} show", "--session=new", "--link=none")
    assert "Missing: @u is not found through @s\n" in shown
    assert shown.endswith("To mend it: keyctl link @u @s\n")
    assert normalised(output(stage, f"keyctl revoke @s; {HELPER} show @s", "--session=new")) == (
        SHOWN_DEAD
    )
    stand_in = output(stage, f"{HELPER} show @s", "--session=user-session")
    assert "none of its own, the user-session keyring stands in" in stand_in


def test_one_keyring_alone_is_possessed_by_way_of_another(stage: Stage) -> None:
    add = "k=$(keyctl add user colour blue @u); "
    shown = output(stage, f"{add}{HELPER} show @u", "--session=new", code=0)
    assert f"* keyring: _uid.{UID}" in shown
    assert "Missing" not in shown

    alone = json.loads(output(stage, f"{add}{HELPER} show --json $k", "--session=new", code=0))
    (colour,) = alone["keys"]
    assert colour["description"] == "colour"
    assert (colour["possessed"], len(colour["path"])) == (True, 3)
    below = json.loads(output(stage, f"{HELPER} show --json @u", "--session=new", code=0))
    assert [key["description"] for key in below["keys"]].count("_ses") == 0
    assert len(below["keys"]) == 2
    assert json.loads(output(stage, f"{HELPER} show --json @t", code=1))["keys"] == []


def test_show_of_keyrings_that_are_not_there(stage: Stage) -> None:
    assert "none; the kernel makes it" in output(stage, f"{HELPER} show @t", code=1)
    assert "gone" in output(stage, f"{HELPER} show 1", code=1)
    for word in ("@x", "-5", "99999999999", "1e3"):
        output(stage, f"{HELPER} show {word}", code=125)


def test_expiry_and_strange_names(stage: Stage) -> None:
    script = (
        "keyctl timeout $(printf x | keyctl padd user 'a b;c:\\e[31m' @s) 100;"
        f"printf x | keyctl padd user \"$(printf '\\377')\" @s >/dev/null; {HELPER} show @s"
    )
    shown = output(stage, script, "--session=new")
    assert "1m" in shown
    assert "\x1b" not in shown
    assert "user: \\udcff" in shown


def test_json(stage: Stage) -> None:
    script = f"keyctl add user colour blue @u >/dev/null; {HELPER} show --json"
    read = json.loads(output(stage, script, "--session=new"))
    assert list(read) == [
        "schema", "uid", "user", "keyrings", "user_session_stands_in", "keys", "quota",
    ]  # fmt: skip
    assert (read["schema"], read["uid"], read["user"]) == (1, int(UID), UID)
    assert read["user_session_stands_in"] is False
    assert read["keyrings"]["thread"] == {
        "serial": None, "error": "ENOKEY", "created_on_demand": True,
    }  # fmt: skip
    session, user = (read["keyrings"][name]["serial"] for name in ("session", "user"))
    keys = {key["serial"]: key for key in read["keys"]}
    assert keys[session]["links"] == [user]
    (colour,) = keys[user]["links"]
    assert keys[colour] == {
        "serial": colour, "error": None, "type": "user", "description": "colour",
        "uid": int(UID), "owner": UID, "gid": int(UID),
        "permissions": {"possessor": "alswrv", "user": "-----v",
                        "group": "------", "other": "------"},
        "expires": "never", "possessed": True, "path": [session, user, colour], "links": [],
        "tag": None,
    }  # fmt: skip
    assert list(read["quota"]) == ["keys_used", "keys_allowed", "bytes_used", "bytes_allowed"]


def test_json_is_what_the_manual_page_says(stage: Stage) -> None:
    folder = world.folder()
    assert folder
    page = (folder / "stage/usr/local/share/man/man8/pykeyinit-helper.8").read_text()
    documented = set(re.findall(r"[a-z_-]+", page.partition(".Sh JSON")[2].partition(".Sh ")[0]))
    read = json.loads(output(stage, f"{HELPER} show --json", "--session=new"))
    session, first = read["keyrings"]["session"], read["keys"][0]
    for members in (read, read["keyrings"], session, first, first["permissions"], read["quota"]):
        assert set(members) <= documented
    assert f"\n{read['schema']}.\n" in page


def test_keyrings_that_share_what_they_hold(stage: Stage) -> None:
    """Each is printed once with its content: otherwise 2 to the power of 20 lines."""
    grow = (
        "import keyutils\n"
        "last = keyutils.add_key(b'k0', None, -3, b'keyring')\n"
        "for level in range(1, 21):\n"
        "    both = [keyutils.add_key(b'%d.%d' % (level, n), None, -3, b'keyring')\n"
        "            for n in range(2)]\n"
        "    [keyutils.link(last, ring) for ring in both]\n"
        "    last = both[0]\n"
        "    if level > 5: break\n"
    )
    script = f'/usr/bin/python3 -I -c "{grow}"; {HELPER} show @s'
    shown = output(stage, script, "--session=new", code=0)
    assert "(see above)" in shown
    assert len(shown.splitlines()) < 100
