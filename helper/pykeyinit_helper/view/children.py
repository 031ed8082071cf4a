"""Inspect keys as each of many users, with a child process for each that becomes the user.

If the kernel permits it, a child is in a user namespace that maps no other user.  The kernel
then skips the keys of all other users: of 20,000 keys the user's own are listed in 1 ms instead
of 20 ms.  This is only an optimisation: without a namespace the child sees the same.
"""

import ctypes
import gc
import json
import os
import select
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

from pykeyinit_helper.become import Refused, Target, become

# A user can stop all processes of that user, so every wait has a timeout.
PATIENCE = 10.0
_AT_ONCE = 2 * (os.cpu_count() or 1)

_NEW_USER_NAMESPACE = 0x10000000  # CLONE_NEWUSER, sched.h
_CAPABILITY_VERSION = 0x20080522  # capset(2)
_NOGROUP = 65534
_ALL_GROUPS = "0 0 4294967295"

# A child first writes whether it has a user namespace, whose maps the parent then sets.
_HAS, _HAS_NONE = b"+", b"-"

Answer = dict[str, Any]


class _Child:
    def __init__(self, uid: int, look: Callable[[int], Any], *, apart: bool) -> None:
        self.uid = uid
        self.received = b""
        self.deadline = time.monotonic() + PATIENCE
        self.output, writing = os.pipe()
        reading, self.input = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            _be(uid, look, reading, writing, apart=apart)
        os.close(writing)
        os.close(reading)

    def admit(self) -> None:
        """Map this user, and every group, in the user namespace of a child; raises OSError."""
        for name, text in (("uid_map", f"{self.uid} {self.uid} 1"), ("gid_map", _ALL_GROUPS)):
            file = os.open(f"/proc/{self.pid}/{name}", os.O_WRONLY)
            try:
                os.write(file, text.encode())
            finally:
                os.close(file)

    def end(self) -> int:
        """End the child; return the exit code, negative for a signal."""
        os.close(self.output)
        os.close(self.input)
        if time.monotonic() > self.deadline or not self.received.endswith(b"}"):
            os.kill(self.pid, signal.SIGKILL)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def _be(
    uid: int, look: Callable[[int], Any], reading: int, writing: int, *, apart: bool
) -> NoReturn:
    """The child: become the user, inspect, report, end."""
    answer: Answer = {"error": "it was interrupted"}
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        myself = os.geteuid()  # in a new namespace even one's own uid is unmapped
        apart = apart and _libc.unshare(_NEW_USER_NAMESPACE) == 0
        os.write(writing, _HAS if apart else _HAS_NONE)
        os.read(reading, 1)
        if apart:
            _be_nobody_else(uid)
        if uid != myself:
            become(Target(uid, _NOGROUP, []))
        answer = {"seen": look(uid)}
    except (Refused, OSError) as error:
        answer = {"error": str(error)}
    finally:
        whole = memoryview(json.dumps(answer).encode())
        while whole:
            whole = whole[os.write(writing, whole) :]
        os._exit(0)


def _be_nobody_else(uid: int) -> None:
    """Set the user's ids, and drop the capabilities: the creator of a user namespace has all."""
    os.setgroups([])
    os.setresgid(_NOGROUP, _NOGROUP, _NOGROUP)
    os.setresuid(uid, uid, uid)
    _libc.capset((ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0), (ctypes.c_uint32 * 6)())


_libc = ctypes.CDLL(None, use_errno=True)


class Children:
    """A child for each of some users, a few at a time."""

    def __init__(self, look: Callable[[int], Any]) -> None:
        """The parent gets the result of `look` for a uid as JSON."""
        self._look = look
        self._apart = os.geteuid() == 0
        self._poll = select.poll()
        self._running: dict[int, _Child] = {}
        self._waiting: list[int] = []

    def answers(self, uids: Sequence[int]) -> Iterator[tuple[int, Answer]]:
        """The answers in the order of their arrival: `seen`, or `error` in words."""
        self._waiting = list(reversed(uids))
        gc.freeze()  # a collection would copy the parent's pages into each child
        try:
            while self._waiting or self._running:
                while self._waiting and len(self._running) < _AT_ONCE:
                    self._start(self._waiting.pop())
                for output, _ in self._poll.poll(PATIENCE * 1000 / 10):
                    child = self._running[output]
                    if self._hears(child):
                        yield child.uid, self._end(child)
                yield from self._overdue()
        finally:
            for child in list(self._running.values()):
                self._drop(child)

    def _start(self, uid: int) -> None:
        child = _Child(uid, self._look, apart=self._apart)
        self._running[child.output] = child
        self._poll.register(child.output, select.POLLIN)

    def _hears(self, child: _Child) -> bool:
        """Read a part of its answer; return whether that was the last."""
        part = os.read(child.output, 65536)
        first = not child.received
        child.received += part
        if first and part[:1] == _HAS:
            try:
                child.admit()
            except OSError:  # root of a container may not: then no child has a namespace
                self._apart = False
                self._waiting.append(child.uid)
                self._drop(child)
                return False
        if first and part:
            os.write(child.input, b"\n")
        return not part

    def _drop(self, child: _Child) -> int:
        self._poll.unregister(child.output)
        del self._running[child.output]
        return child.end()

    def _end(self, child: _Child) -> Answer:
        code = self._drop(child)
        if not child.received.endswith(b"}"):
            return {"error": f"its process was ended by {_signal(-code)}" if code < 0 else "none"}
        answer: Answer = json.loads(child.received[1:])
        return answer

    def _overdue(self) -> Iterator[tuple[int, Answer]]:
        for child in list(self._running.values()):
            if time.monotonic() > child.deadline:
                self._drop(child)
                yield child.uid, {"error": f"no answer within {PATIENCE:.0f} seconds"}


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
