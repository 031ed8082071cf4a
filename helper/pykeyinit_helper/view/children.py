"""Inspect keys as each of many users, in child processes.

If the kernel permits it, a child inspects the keys of a few users in a user namespace that maps
no other user.  The kernel then skips the keys of all other users: of 20,000 keys the user's own
are listed in 1 ms instead of 20 ms.  This is only an optimisation: without a namespace, a child
for each user becomes the user, and sees the same.
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
_TOGETHER = 5  # users of a namespace: with more the kernel searches its map (map_id_range_down)

_NEW_USER_NAMESPACE = 0x10000000  # CLONE_NEWUSER, sched.h
_CAPABILITY_VERSION = 0x20080522  # capset(2)
_CAP_SETUID = 7
_NOGROUP = 65534
_ALL_GROUPS = "0 0 4294967295"
_NO_CHANGE = 2**32 - 1  # of setfsuid(2), which then only returns the id

# A child first writes whether it has a user namespace, whose maps the parent then sets.
_HAS, _HAS_NONE = b"+", b"-"

Answer = dict[str, Any]
Look = Callable[[int], Any]


class _Child:
    def __init__(self, uids: Sequence[int], look: Look, *, apart: bool) -> None:
        self.uids = uids
        self.received = b""
        self.deadline = time.monotonic() + PATIENCE
        self.output, writing = os.pipe()
        reading, self.input = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            _be(uids, look, reading, writing, apart=apart)
        os.close(writing)
        os.close(reading)

    def admit(self) -> None:
        """Map its users, and every group, in the user namespace of a child; raises OSError."""
        users = "".join(f"{uid} {uid} 1\n" for uid in self.uids)
        for name, text in (("uid_map", users), ("gid_map", _ALL_GROUPS)):
            file = os.open(f"/proc/{self.pid}/{name}", os.O_WRONLY)
            try:
                os.write(file, text.encode())
            finally:
                os.close(file)

    def end(self) -> int:
        """End the child; return the exit code, negative for a signal."""
        os.close(self.output)
        os.close(self.input)
        if time.monotonic() > self.deadline or not self.received.endswith(b"]"):
            os.kill(self.pid, signal.SIGKILL)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def _be(uids: Sequence[int], look: Look, reading: int, writing: int, *, apart: bool) -> NoReturn:
    """The child: inspect as each user, report, end."""
    answers: list[Answer] = [{"error": "it was interrupted"}] * len(uids)
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        apart = apart and _libc.unshare(_NEW_USER_NAMESPACE) == 0
        os.write(writing, _HAS if apart else _HAS_NONE)
        os.read(reading, 1)
        if apart:
            _drop_groups_and_capabilities()
        change = _look_as if apart else _become
        answers = [_answer(look, change, uid) for uid in uids]
    except OSError as error:
        answers = [{"error": str(error)}] * len(uids)
    finally:
        whole = memoryview(json.dumps(answers).encode())
        while whole:
            whole = whole[os.write(writing, whole) :]
        os._exit(0)


def _answer(look: Look, change: Callable[[int], None], uid: int) -> Answer:
    try:
        change(uid)
        return {"seen": look(uid)}
    except (Refused, OSError) as error:
        return {"error": str(error)}


def _become(uid: int) -> None:
    if uid != os.geteuid():
        become(Target(uid, _NOGROUP, []))


def _drop_groups_and_capabilities() -> None:
    """Keep CAP_SETUID in the user namespace: the creator of a namespace has all capabilities.

    Outside it, the child has none.  Its real user id stays root's, so that no user can stop it.
    """
    os.setgroups([])
    os.setresgid(_NOGROUP, _NOGROUP, _NOGROUP)
    only = 1 << _CAP_SETUID
    _libc.capset((ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0), (ctypes.c_uint32 * 6)(only, only))


def _look_as(uid: int) -> None:
    """Set the id by which the kernel checks access to keys (key_task_permission)."""
    _libc.setfsuid(ctypes.c_uint32(uid))
    if _libc.setfsuid(ctypes.c_uint32(_NO_CHANGE)) % 2**32 != uid:
        raise Refused(f"the kernel did not make this uid {uid}")


_libc = ctypes.CDLL(None, use_errno=True)


class Children:
    """Children for some users, a few at a time."""

    def __init__(self, look: Look) -> None:
        """The parent gets the result of `look` for a uid as JSON."""
        self._look = look
        self._apart = os.geteuid() == 0
        self._poll = select.poll()
        self._running: dict[int, _Child] = {}
        self._waiting: list[Sequence[int]] = []

    def answers(self, uids: Sequence[int]) -> Iterator[tuple[int, Answer]]:
        """The answers in the order of their arrival: `seen`, or `error` in words."""
        size = _TOGETHER if self._apart else 1
        self._waiting = [uids[at : at + size] for at in range(0, len(uids), size)][::-1]
        gc.freeze()  # a collection would copy the parent's pages into each child
        try:
            while self._waiting or self._running:
                while self._waiting and len(self._running) < _AT_ONCE:
                    self._start(self._waiting.pop())
                for output, _ in self._poll.poll(PATIENCE * 1000 / 10):
                    child = self._running[output]
                    if self._hears(child):
                        yield from self._end(child)
                yield from self._overdue()
        finally:
            for child in list(self._running.values()):
                self._drop(child)

    def _start(self, uids: Sequence[int]) -> None:
        child = _Child(uids, self._look, apart=self._apart)
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
                self._give_up_namespaces(child)
                return False
        elif first and part and len(child.uids) > 1:
            self._give_up_namespaces(child)
            return False
        if first and part:
            os.write(child.input, b"\n")
        return not part

    def _give_up_namespaces(self, child: _Child) -> None:
        self._apart = False
        self._drop(child)
        self._waiting = [[uid] for uids in (*self._waiting, child.uids) for uid in uids]

    def _drop(self, child: _Child) -> int:
        self._poll.unregister(child.output)
        del self._running[child.output]
        return child.end()

    def _end(self, child: _Child) -> Iterator[tuple[int, Answer]]:
        code = self._drop(child)
        if child.received.endswith(b"]"):
            yield from zip(child.uids, json.loads(child.received[1:]), strict=True)
        else:
            error = f"its process was ended by {_signal(-code)}" if code < 0 else "none"
            yield from self._failed(child, error)

    def _failed(self, child: _Child, error: str) -> Iterator[tuple[int, Answer]]:
        """Report the error of a user; of several, find out whose it is."""
        if len(child.uids) > 1:
            self._waiting += [[uid] for uid in child.uids]
        else:
            yield child.uids[0], {"error": error}

    def _overdue(self) -> Iterator[tuple[int, Answer]]:
        for child in list(self._running.values()):
            if time.monotonic() > child.deadline:
                self._drop(child)
                yield from self._failed(child, f"no answer within {PATIENCE:.0f} seconds")


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
