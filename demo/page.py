"""The layout of the demo: 80 columns, with colour only on a terminal."""

import grp
import os
import pwd
import sys
from collections.abc import Iterable
from typing import Any

Key = dict[str, Any]

COLOUR = sys.stdout.isatty() and not (
    os.environ.get("NO_COLOR") or os.environ.get("TERM") in {None, "dumb"}
)
HEADING, GOOD, LACK, BAD, FAINT = "1", "32", "33", "1;31", "2"
LETTERS = "alswrv"  # setattr, link, search, write, read, view, as in keyctl(1)


def paint(code: str, text: str) -> str:
    """The text in a colour, or unchanged."""
    return f"\033[{code}m{text}\033[0m" if COLOUR else text


def put(text: str = "") -> None:
    """Print one line."""
    print(text, flush=True)


def owner(key: Key) -> str:
    """`alice:alice`.  The user keyring has no group: the kernel shows the overflow gid."""
    if "owner" not in key:
        return "?"
    try:
        return f"{pwd.getpwuid(key['owner']).pw_name}:{grp.getgrgid(key['group']).gr_name}"
    except KeyError:
        return f"{key['owner']}:{key['group']}"


def hexadecimal(key: Key) -> str:
    """Permissions as keyctl_describe(3) gives them."""
    return f"{key['permissions']:08x}" if "permissions" in key else "?"


def letters(permissions: int) -> list[str]:
    """Permissions of possessor, user, group and other, as in keyctl(1)."""
    return [
        "".join(
            letter if permissions >> shift & 0x20 >> at else "-"
            for at, letter in enumerate(LETTERS)
        )
        for shift in (24, 16, 8, 0)
    ]


def short(key: Key) -> str:
    """A key's name, with its special name, if it has one."""
    name = str(key["name"])
    return f"@u {name}" if name.startswith("_uid.") else name


def rows(key: Key, text: str, deeper: str) -> None:
    """A key, and below it, indented by `deeper`, its links."""
    possessor, user, group, other = letters(key["permissions"])
    mask = f"{possessor:<9} {user} {group} {other}"
    put(f"  {text:<20} {key['serial']:>10}  {owner(key):<13} {mask}")
    for number, link in enumerate(key["links"], 1):
        last = number == len(key["links"])
        branch, trunk = ("└─ ", "   ") if last else ("├─ ", "│  ")
        rows(link, deeper + branch + short(link), deeper + trunk)


def tree(key: Key) -> None:
    """A session keyring with its heading, or the error."""
    if "error" in key:
        put("  @s " + paint(BAD, key["error"]))
        return
    head = f"{'keyring':<20} {'serial':>10}  {'owner':<13} {'possessor':<9} user   group  other"
    put("  " + paint(FAINT, head))
    rows(key, f"@s {key['name']}", "")


def section(name: str, text: str) -> None:
    """A heading."""
    put()
    put(f"{paint(HEADING, name)}  {text}")


def introduction(user: str) -> None:
    """What the demo shows."""
    put(paint(HEADING, "A session keyring for each login: pam_pykeyinit and pam_keyinit compared"))
    put(f"These are real PAM sessions of {user}, a user of this demo only.  runuser(1)")
    put("opens and closes them; her processes print what they see.  /etc is unchanged.")
    put(paint(FAINT, "Permissions: set attributes, link, search, write, read, view"))


def before(seen: Key, user: str) -> None:
    """The state without the modules."""
    section("before", "no keyring module in the PAM stack")
    tree(seen["session"])
    put(f"  {user}'s process inherits the session keyring of its parent process: root's.")
    put("  She adds a key to her user keyring, @u.  Found through @s?  " + answer(seen))


def session(name: str, line: str, within: Key, after: Key) -> None:
    """One module: inside the session, and after it."""
    section(name, line)
    tree(within["session"])
    put("  In the session: is her key in @u found through @s?          " + answer(within))
    gone = after["session"].get("error")
    end = paint(GOOD, gone) if gone == "EKEYREVOKED" else paint(BAD, gone or "still alive")
    put(f"  After it: the @s of a process that is still running:        {end}")


def answer(seen: Key) -> str:
    """The result of a search."""
    found = seen["through_session"]
    return paint(GOOD, f"yes: {found}") if found == "green" else paint(LACK, f"no: {found}")


def comparison(modules: dict[str, dict[str, str]]) -> None:
    """The common properties, for each module's keyring, in words."""
    section("compared", "each as seen by a process of the session")
    put("  " + paint(FAINT, f"{'':<22}{columns(modules)}".rstrip()))
    for trait in next(iter(modules.values())):
        found = [traits[trait] for traits in modules.values()]
        mark = paint(GOOD, "same") if len(set(found)) == 1 else paint(BAD, "DIFFERENT")
        put(f"  {trait:<22}{columns(found)}{mark}")


def yes(what: object) -> str:
    """The answer in a word."""
    return "yes" if what else "no"


def differences(modules: dict[str, dict[str, str]]) -> None:
    """The differences, and the reasons for ours."""
    section("different", "two sessions in one process, and a mistyped option")
    put("  " + paint(FAINT, f"{'':<40}" + "".join(f"{name:<19}" for name in modules)).rstrip())
    for what in next(iter(modules.values())):
        ours, theirs = (seen[what] for seen in modules.values())
        mark = LACK if theirs != ours else FAINT
        put(f"  {what:<40}{paint(GOOD, f'{ours:<19}')}{paint(mark, theirs)}")


def columns(texts: Iterable[str]) -> str:
    """One text for each module."""
    return "".join(f"{text:<{width}}" for text, width in zip(texts, (17, 15, 16), strict=True))


def verdict(kept: int, broken: list[str], logged: list[str]) -> None:
    """The result, and the modules' log if a check failed."""
    put()
    for promise in broken:
        put(paint(BAD, "BROKEN  ") + promise)
    for line in logged:
        put("logged  " + line)
    if broken:
        put(paint(BAD, f"{len(broken)} of {kept + len(broken)} checks are not as promised."))
    else:
        put(paint(GOOD, f"All {kept} checks are as promised."))
