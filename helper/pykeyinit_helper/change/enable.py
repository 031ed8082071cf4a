"""`pykeyinit-helper enable` and `disable`: add our line to a stack, and remove it."""

import os
import pwd
import shlex
from pathlib import Path
from typing import NamedTuple

from pam_pykeyinit.log import printable
from pam_pykeyinit.options import parse
from pykeyinit_helper.become import Refused
from pykeyinit_helper.change import kept, place, rehearse, replace
from pykeyinit_helper.change.change import Change, Changed
from pykeyinit_helper.change.trial import require
from pykeyinit_helper.saying import say
from pykeyinit_helper.stacks import advice, blocks, edits, effect, machine, stack
from pykeyinit_helper.stacks.blocks import NotUnderstood
from pykeyinit_helper.stacks.entries import Stack
from pykeyinit_helper.stacks.folders import PAM_D, Folders
from pykeyinit_helper.stacks.pamconf import fold


class Asked(NamedTuple):
    """The options for each service."""

    command: str
    user: str
    options: str | None
    dry_run: bool

    @property
    def words(self) -> tuple[str, ...] | None:
        """The options for our line, if they were given.  Raises Refused."""
        if self.options is None:
            return None
        words = tuple(self.options.split())
        for trouble in parse(list(words)).wrong:
            raise Refused(f"--options: {printable(trouble)}; see pam_pykeyinit(8)")
        return words


def change(services: list[str], asked: Asked) -> int:
    """Enable or disable each; 0 on success, 1 if a service was not changed.  Raises Refused."""
    if not asked.dry_run and os.geteuid() != 0:
        raise Refused(f"only root can change {PAM_D}: use sudo, or --dry-run")
    try:
        pwd.getpwnam(asked.user)
    except (KeyError, ValueError):
        raise Refused(f"unknown user: {asked.user[:64]} (see getent passwd)") from None
    folders, status = machine.folders(Path("/")), 0
    asked.words  # noqa: B018  # refused before anything is changed
    if asked.command == "enable" and not asked.dry_run:
        require("pamela")
    for service in dict.fromkeys(services):
        try:
            if not _one(service, folders, asked):
                print(f"{printable(service)}: nothing to do, it is {asked.command}d", flush=True)
        except NotUnderstood as reason:
            say(f"{service}: not changed: {reason}")
            status = 1
        except (rehearse.Worse, replace.Changed) as reason:
            say(f"{service}: restored: {reason}")
            status = 1
        except OSError as error:
            say(f"{service}: {error.filename or ''}: {error.strerror}")
            status = 1
    return status


def enabled_services() -> list[str]:
    """Services whose files `enable` has changed, without backup files of package managers."""
    found = []
    for path in sorted(PAM_D.iterdir()):
        leaving = path.name.startswith(".") or path.name.endswith("~") or ".dpkg-" in path.name
        if not leaving and path.is_file() and not path.is_symlink():
            text = replace.now(path) or ""
            found += [path.name] if blocks.BEGIN in text else []
    return found


def _one(service: str, folders: Folders, asked: Asked) -> bool:
    """Change one service; return whether there was something to change."""
    enabling = asked.command == "enable"
    wanted = _enabled(service, folders, asked) if enabling else _disabled(service, folders)
    if wanted is None:
        return False
    if enabling:
        _announce(wanted, folders)
    print(wanted.difference(), end="", flush=True)
    if asked.dry_run:
        return True
    with kept.alone():
        if enabling:
            _enable(wanted, asked.user, folders)
        else:
            _disable(wanted)
    return True


def _enabled(service: str, folders: Folders, asked: Asked) -> Change | None:
    """The change of the file.  Raises NotUnderstood, with a solution if there is one."""
    try:
        return _verified(service, folders, asked.words)
    except NotUnderstood as reason:
        if way := _with_the_auth_of_other(service, folders, asked.words):
            raise NotUnderstood(f"{reason}; use: {way}") from None
        first = Path(reason.elsewhere).name
        if not first or first == fold(service):
            raise
        try:
            before = _verified(first, folders, None)
            if before is not None:
                _verified(service, Changed(folders, before.path, before.new), asked.words)
        except NotUnderstood:
            raise reason from None
        both = f"{first} {service}"
        raise NotUnderstood(f"{reason}; use: pykeyinit-helper enable {both}") from None


def _with_the_auth_of_other(service: str, folders: Folders, words: tuple[str, ...] | None) -> str:
    """The commands that enable a service that needs our line before the auth lines of `other`.

    "" if that is not the problem.
    """
    try:
        found, text = _read(service, folders)
        now = stack.read(service, folders)
        early = effect.first_at_setcred(now)
        put = edits.with_the_auth_of_other(now, "", "")
        if early is None or early.via != 0 or put.startswith(edits.BY_HAND):
            return ""
        first = Changed(folders, PAM_D / found.name, f"{edits.AUTH_OF_OTHER}\n{text}")
        after = _verified(service, first, words)
    except NotUnderstood:
        return ""
    return f"{put} && pykeyinit-helper enable {shlex.quote(service)}" if after else ""


def _verified(service: str, folders: Folders, words: tuple[str, ...] | None) -> Change | None:
    if why := advice.refusal(fold(service)):
        raise NotUnderstood(why)
    found, text = _read(service, folders)
    copied = found.parent != PAM_D
    path = PAM_D / found.name

    def read(new: str) -> Stack:
        return stack.read(service, Changed(folders, path, new))

    new = place.put_in(text, read, words, copied=copied)
    if new == text:
        return None
    wanted = Change(service, path, None if copied else text, new)
    _verify(wanted, folders, enabling=True)
    return wanted


def _announce(wanted: Change, folders: Folders) -> None:
    """Print effects that the difference does not show."""
    after = stack.read(wanted.service, Changed(folders, wanted.path, wanted.new))
    for note in advice.notes(stack.read(wanted.service, folders), after):
        say(f"{wanted.service}: {note}")
    vendors = folders.find(wanted.path.name, folders.services[1:])
    if wanted.old is None and vendors is not None:
        say(
            f"{wanted.service}: {wanted.path} is a copy of {vendors}, which is not read any more, "
            f"and so upgrades of it are not: pykeyinit-helper disable {wanted.service} undoes it"
        )
    for left in effect.wrong(after):
        say(f"{wanted.service}: not changed: {left}")
    if way := _with_the_auth_of_other(
        wanted.service, Changed(folders, wanted.path, wanted.new), None
    ):
        say(f"{wanted.service}: then fix it with: {way}")


def _disabled(service: str, folders: Folders) -> Change | None:
    found, text = _read(service, folders)
    copy = kept.COPIES / found.name
    try:
        new, copied = blocks.take_out(text)
    except NotUnderstood as reason:
        way = "take its line out by hand"
        if copy.exists():
            way += f", or put back all of the first copy: cp {copy} {found}"
        raise NotUnderstood(f"{reason}: {way}") from None
    if new == text:
        for entry in effect.ours(stack.read(service, folders)):
            raise NotUnderstood(
                f"{entry.file}:{entry.line} is not enable's: take the line out by hand"
            )
        return None
    vendors = folders.find(found.name, folders.services[1:])
    gone = copied and vendors is not None and folders.read(vendors) == new
    wanted = Change(service, found, text, None if gone else new)
    _verify(wanted, folders, enabling=False)
    return wanted


def _read(service: str, folders: Folders) -> tuple[Path, str]:
    """A service's file, and its content.  Raises NotUnderstood, OSError."""
    name = fold(service)
    if not name or "/" in name or name.startswith("."):
        raise NotUnderstood("this is not the name of a service")
    path = folders.find(name, folders.services)
    if path is None:
        instead = advice.instead(name, folders.names())
        raise NotUnderstood(f"there is no {PAM_D / name}{instead}")
    if path.is_symlink():
        raise NotUnderstood(f"it is a link to {path.resolve()}, where something else keeps it")
    return path, folders.read(path)


def _verify(wanted: Change, folders: Folders, *, enabling: bool) -> None:
    """Check that only the keyring modules of all stacks change."""
    changed = Changed(folders, wanted.path, wanted.new)
    names = folders.names()
    before = [stack.read(name, folders) for name in names]
    after = [stack.read(name, changed) for name in names]
    place.verify(before, after, enabling=enabling)


def _enable(wanted: Change, user: str, folders: Folders) -> None:
    name = wanted.path.name
    after = stack.read(name, Changed(folders, wanted.path, wanted.new))
    before = rehearse.new_stack(name, user, folders, wanted.new or "", effect.words(after))
    copy, pristine = "", blocks.take_out(wanted.old or "")[0]
    if wanted.old is not None:
        copy = f"; what was there is kept as {kept.keep(name, pristine)}"
    wanted.do()
    try:
        rehearse.compare(before, rehearse.session(name, user, None))
    except rehearse.Worse:
        wanted.undo()
        kept.forget(name, pristine)
        raise
    print(f"{printable(wanted.service)}: enabled{copy}", flush=True)


def _disable(wanted: Change) -> None:
    wanted.do()
    print(f"{printable(wanted.service)}: disabled", flush=True)
    other = kept.forget(wanted.path.name, wanted.new or "")
    if other is not None:
        say(f"{wanted.service}: {other}, the copy from before `enable`, is different, and stays")
