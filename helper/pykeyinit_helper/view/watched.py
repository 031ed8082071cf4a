"""A key that is watched, and what is in it if it is a keyring: events, in the order they come."""

import contextlib
from collections.abc import Iterator

from pam_pykeyinit.kernel.syscalls import KernelError
from pykeyinit_helper.view.notes import GONE, LOST, Note, Pipe
from pykeyinit_helper.view.reader import Reader
from pykeyinit_helper.view.state import ENDS, Event, State, attributes, differences, look


class Watched:
    """known   each key that is watched, as it was when it was last looked at"""

    def __init__(self, serial: int, pipe: Pipe | None) -> None:
        """Raises KernelError where it may not be watched."""
        self.serial = serial
        self.known: dict[int, State] = {}
        self.ended = False
        self._pipe = pipe
        self._reader = Reader()
        if pipe:
            pipe.watch(serial)
        self.known[serial] = look(self._reader, serial)
        for link in self.known[serial].links or ():
            self._add(link)

    def heard(self, notes: list[Note]) -> Iterator[Event]:
        """The events that the kernel has told of."""
        for note in notes:
            if note.event == LOST:
                yield Event(LOST, self.serial)
                yield from self.compare()  # what can still be told
            elif note.serial in self.known:
                yield self._event(note)

    def tick(self) -> Iterator[Event]:
        """Of what the kernel notifies nobody: that a key has expired; and of a missed end."""
        yield from self.compare(only=ENDS if self._pipe else ())

    def compare(self, only: tuple[str, ...] = ()) -> Iterator[Event]:
        """What has happened since the last look, found by looking again."""
        after = {
            serial: look(self._reader, serial, before)
            for serial, before in self.known.items()
            if not before.error
        }
        before = self.known
        if only:
            self.known = {**before, **{key: now for key, now in after.items() if now.error}}
        else:
            self.known = {**before, **after}
        for event in differences(before, after):
            if not only or event.name in only:
                yield self._follow(event)

    def _event(self, note: Note) -> Event:
        then = self.known[note.serial]
        now = look(self._reader, note.serial, then)
        detail = ""
        if note.event == "changed":
            detail = now.error or attributes(then, now) or "timeout"
        if note.event in ENDS:
            now = now._replace(error=now.error or note.event)
        self.known[note.serial] = now
        return self._follow(Event(note.event, note.serial, note.other, detail))

    def _follow(self, event: Event) -> Event:
        """Watch what is new in the keyring, and not what is out of it."""
        if event.serial == self.serial:
            if event.name in ENDS:
                self.ended = True
            elif event.name == "linked":
                self._add(event.other)
        return event

    def forget(self, event: Event) -> None:
        """Once an event was told: let go of a key that it took out."""
        if event.serial == self.serial and event.name == "unlinked":
            out = [event.other]
        elif event.serial == self.serial and event.name == "cleared":
            out = [serial for serial in self.known if serial != self.serial]
        else:
            out = [event.serial] if event.name == GONE and event.serial != self.serial else []
        for serial in out:
            self.known.pop(serial, None)
            if self._pipe:
                with contextlib.suppress(KernelError):
                    self._pipe.leave(serial)

    def _add(self, serial: int) -> None:
        if self._pipe:
            with contextlib.suppress(KernelError):  # it may not be viewed, or is gone already
                self._pipe.watch(serial)
        self.known[serial] = look(self._reader, serial)
