"""A watched key, and its links if it is a keyring: events, in their order."""

import contextlib
from collections.abc import Iterator

from pam_pykeyinit.kernel.syscalls import KernelError
from pykeyinit_helper.view.notes import GONE, LOST, Note, Pipe
from pykeyinit_helper.view.reader import Reader
from pykeyinit_helper.view.state import ENDS, Event, State, attributes, differences, look


class Watched:
    """A watched key; `known` has the last known state of each key that is watched."""

    def __init__(self, serial: int, pipe: Pipe | None) -> None:
        """Raises KernelError if the key may not be watched."""
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
        """The events that the kernel has reported."""
        for note in notes:
            if note.event == LOST:
                yield Event(LOST, self.serial)
                yield from self.compare()  # the remaining changes
            elif note.serial in self.known:
                yield self._event(note)

    def tick(self) -> Iterator[Event]:
        """Check for changes without a notification: that a key has expired; and a missed end."""
        yield from self.compare(only=ENDS if self._pipe else ())

    def compare(self, only: tuple[str, ...] = ()) -> Iterator[Event]:
        """The changes since the last check, found by inspection."""
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
        """Watch keys that are new in the keyring, and stop watching removed ones."""
        if event.serial == self.serial:
            if event.name in ENDS:
                self.ended = True
            elif event.name == "linked":
                self._add(event.other)
        return event

    def forget(self, event: Event) -> None:
        """After an event was reported: stop watching a key that it removed."""
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
