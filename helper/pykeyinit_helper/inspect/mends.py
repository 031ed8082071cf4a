"""The commands that mend something.  Pure; only this module makes such commands.

Each is a line for the shell from which the helper was called; a maker returns None if there is
no such line.  tests/helper/inspect/test_mends.py pastes all of MAKERS.
"""

from collections.abc import Callable
from shlex import quote

from pykeyinit_helper.inspect.case import DEAD, Case
from pykeyinit_helper.inspect.permissions import LINK, SEARCH
from pykeyinit_helper.output import Mend

Maker = Callable[[Case], Mend | None]

MAKERS: dict[str, Maker] = {}


def _maker(words: Callable[[Case], str]) -> Maker:
    name = words.__name__.replace("_", "-")

    def make(case: Case) -> Mend | None:
        command = words(case)
        return Mend(name, command) if command else None

    MAKERS[name] = make
    return make


def word(text: str) -> str:
    """Any text as one printable word for a shell."""
    if text.isprintable():
        return quote(text)
    octal = "".join(
        "%%" if byte == ord("%") else chr(byte) if chr(byte).isalnum() and byte < 128
        else f"\\{byte:03o}"
        for byte in text.encode("utf-8", "surrogateescape")
    )  # fmt: skip
    # "$(...)" drops newlines at its end; not every shell has $'...'.
    return f"$'{octal.replace('%%', '%')}'" if text.endswith("\n") else f"\"$(printf '{octal}')\""


@_maker
def new_session(case: Case) -> str:
    """A new session keyring for the shell, or a new shell if it cannot get one."""
    return "" if case.session in ("own", "stand-in") else _new_session(case)


@_maker
def link_user(case: Case) -> str:
    """Link @u."""
    ring = _session_ring(case)
    return f"keyctl link @u {ring}" if ring else _new_session(case)


@_maker
def link_user_session(case: Case) -> str:
    """Link @us."""
    return _lead_to(case, "keyctl link @us {}", "user-session")


@_maker
def get_persistent(case: Case) -> str:
    """Link the persistent keyring, which needs a call of its own."""
    return _lead_to(case, "keyctl get_persistent {}", "persistent")


@_maker
def link_key(case: Case) -> str:
    """Link a key that may be linked."""
    return _link(case, case.serial)


@_maker
def link_from_there(case: Case) -> str:
    """Link a key of another session into @u, which only a process that possesses it can."""
    found = case.place == "session" and case.user_found and case.state == "live"
    return f"keyctl link {case.serial} @u" if found and case.possessor_bits & LINK else ""


@_maker
def link_deep_keyring(case: Case) -> str:
    """Link the last keyring that is searched, so that the ones below it are searched too."""
    return _link(case, case.deep) if case.session in ("own", "stand-in") else ""


@_maker
def let_search(case: Case) -> str:
    """Give possessor and owner search permission on all keyrings on the way."""
    return " && ".join(
        f"keyctl setperm {serial} 0x{mask | _SEARCH:08x}" for serial, mask in case.blockers
    )


@_maker
def add(case: Case) -> str:
    """Create the key in a keyring that is searched."""
    ring = _found_ring(case)
    if ring:
        return _add_to(case, ring)
    session = _new_session(case)
    return f"{_add_to(case, '@u')} && {session}" if case.user_writable and session else ""


@_maker
def replace(case: Case) -> str:
    """Replace an unusable key.  Not a keyring, which would lose its keys."""
    if case.asked.kind == "keyring" or case.session not in ("own", "stand-in"):
        return ""
    unlink = [f"keyctl unlink {case.serial} {ring}" for ring in case.holders]
    ring = _found_ring(case)
    return " && ".join([*unlink, _add_to(case, ring)]) if ring else ""


_SEARCH = SEARCH << 24 | SEARCH << 16  # for possessor and owner


def _session_ring(case: Case) -> str:
    """The keyring to link a key into so that it is found; "" if a new session keyring is needed.

    Not @s if @us stands in for it: keyctl(1) would then get a session keyring that disappears
    when it ends.  Not @s of another user, who would get the key.
    """
    if case.session == "stand-in":
        return "@us"
    return "@s" if case.session == "own" and case.session_writable else ""


def _found_ring(case: Case) -> str:
    """The keyring to add a key to so that it is found; "" as above."""
    return "@u" if case.user_found and case.user_writable else _session_ring(case)


def _new_session(case: Case, links: str = "") -> str:
    if case.session == "none":
        return ""
    if _adopts(case):
        return f"{case.helper} adopt"
    new = " --session new" if case.session == "own" else ""
    return f"{case.helper} run{new}{links} -- {quote(case.shell)}"


def _adopts(case: Case) -> bool:
    return case.session in DEAD and case.can_adopt and case.has_room()


def _lead_to(case: Case, command: str, keyring: str) -> str:
    ring = _session_ring(case)
    if ring:
        return command.format(ring)
    if _adopts(case):
        return f"{case.helper} adopt && {command.format('@s')}"
    return _new_session(case, f" --link user,{keyring}")


def _link(case: Case, serial: int) -> str:
    ring = _session_ring(case)
    if ring:
        return f"keyctl link {serial} {ring}"
    link = f"keyctl link {serial} @u"
    if case.user_found and case.user_writable:
        return link
    session = _new_session(case)
    return f"{link} && {session}" if case.user_writable and session else ""


def _add_to(case: Case, ring: str) -> str:
    name = word(case.asked.description)
    if case.asked.kind == "keyring":
        return f"keyctl newring {name} {ring}"
    return f"keyctl add {quote(case.asked.kind)} {name} DATA {ring}"
