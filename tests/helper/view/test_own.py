"""The report about a user's keys, from rows of /proc/keys and the links of keyrings."""

import pytest

from pam_pykeyinit.kernel import listing
from pykeyinit_helper.view import ring
from pykeyinit_helper.view.key import Key
from pykeyinit_helper.view.own import Own

TABLE = """\
00000001 I--Q---     1 perm 3f030000  1000  1000 keyring   _ses: 3
00000002 I--Q---     2 perm 1f3f0000  1000 65534 keyring   _uid.1000: 1
00000003 I--Q---     1 perm 0b030000  1000  1000 user      pam_pykeyinit: 20
00000004 I--Q---     1   5m 3f130000  1000  1000 keyring   work: 2
00000005 I--Q---     1 perm 3f010000  1000  1000 keyring   inner: 1
00000006 I--Q---     1 perm 3f010000  1000  1000 logon     a:b: 7
00000007 I--Q---     1 perm 1f3f0000  1000 65534 keyring   _uid_ses.1000: 1
00000008 IR-Q---     1 perm 3f030000  1000  1000 keyring   _ses: empty
00000009 I--Q---     1 expd 3f030000  1000  1000 keyring   _ses: empty
0000000a I--Q--i     1 perm 3f030000  1000  1000 keyring   _ses: empty
0000000b I--Q---     1 perm 3f010000  1000  1000 big_key   large: 2000 [file]
0000000c I------     1 perm 3f010000  1000  1000 keyring   _persistent.1000: empty
0000000d I--Q---     1 perm 3f010000  1000  1000 asymmetri cert: X509.rsa 01
0000000e I--Q---     1 perm 1f3f0000  1000  1000 keyring   _uid.1000: empty
0000000f I--Q---     1 perm 3f010000  1000  1000 keyring   _tid: empty
"""


def own(links: dict[int, list[int] | None]) -> Own:
    keys = {serial: Key(row) for serial, row in listing.rows(TABLE).items()}
    return Own(keys, links)


def test_which_are_session_keyrings() -> None:
    """_ses anywhere, and any other keyring in no keyring whose name the kernel has not given."""
    assert list(own({1: [5, 2]}).sessions()) == [1, 4, 8, 9, 10]
    assert list(own({7: [1, 4]}).sessions()) == [1, 8, 9, 10]


@pytest.mark.parametrize(
    ("serial", "state"),
    [
        (1, ring.LIVE),
        (4, ring.EXPIRING),
        (8, ring.REVOKED),
        (9, ring.EXPIRED),
        (10, ring.INVALIDATED),
    ],
)
def test_the_state(serial: int, state: str) -> None:
    assert own({}).keys[serial].state == state


def test_where_the_user_keyring_is_found() -> None:
    assert own({1: [3, 2, 5]}).leads_to_user_keyring(1) is True
    assert own({1: [7], 7: [2]}).leads_to_user_keyring(1) is True  # through @us
    assert own({1: [3]}).leads_to_user_keyring(1) is False
    assert own({1: [14]}).leads_to_user_keyring(1) is False  # it only has the name
    assert own({1: [5], 5: None}).leads_to_user_keyring(1) is None
    assert own({1: [99]}).leads_to_user_keyring(1) is None
    assert own({1: None}).leads_to_user_keyring(1) is None


def test_what_one_takes_of_the_quota() -> None:
    alone = len("_ses") + 1 + 3 * 4
    assert own({1: []}).takes(1) == (1, alone, True)
    assert own({1: [2, 7, 12]}).takes(1) == (1, alone, True)  # these exist without it
    tag = alone + len("pam_pykeyinit") + 1 + 20
    assert own({1: [3]}).takes(1) == (2, tag, True)
    assert own({1: [3], 4: [3]}).takes(1) == (1, alone, True)  # another keyring also has it
    inner = alone + len("inner") + 1 + 4
    logon = inner + len("a:b") + 1 + 7
    assert own({1: [5], 5: [6]}).takes(1) == (3, logon, True)
    assert own({1: [5, 6], 5: [6]}).takes(1) == (3, logon, True)  # by two ways, both from here
    assert own({1: [5], 5: [6], 2: [6]}).takes(1) == (2, inner, True)
    assert own({1: [11]}).takes(1) == (2, alone + len("large") + 1 + 16, True)
    assert own({12: []}).takes(12) == (0, 0, True)
    assert own({1: [13]}).takes(1) == (2, alone, False)  # the size of that type is unknown
    assert own({1: [5], 5: None}).takes(1) == (2, inner, False)


def test_a_name_with_more_than_a_line_does_not_count_as_a_summary() -> None:
    row = listing.rows(
        "00000001 I--Q---     1 perm 3f030000  1000  1000 user      two\nlines: 4\n"
    )
    key = Key(row[1])
    assert (key.name, key.number, key.bytes) == ("two", None, None)


def test_what_a_tag_says() -> None:
    said = "service=sshd tty=ssh rhost=a\\x20b time=2026-11-29T00:00:00Z pid=7 more=no odd"
    session = ring.Session(
        1, "_ses", ring.LIVE, "never", 0, None, (1, 5, True), said, "pam_pykeyinit"
    )
    assert ring.origin(session) == {
        "by": "pam_pykeyinit",
        "service": "sshd",
        "tty": "ssh",
        "rhost": "a\\x20b",
        "time": "2026-11-29T00:00:00Z",
        "pid": "7",
    }
    assert ring.origin(session._replace(tagged_by="pykeyinit-helper", tag="my daemon")) == {
        "by": "pykeyinit-helper",
        "service": "my daemon",
    }
    assert ring.origin(session._replace(tagged_by="")) == {}
