"""Generated sequences of calls: users, stacks, the stage, and the calls."""

import itertools
from dataclasses import dataclass

from hypothesis import strategies as st

from support import world

OPTIONS = ("debug", "force", "revoke")
# Calls with an effect are drawn more often than ignored ones.
CALLS = (
    *("open", "close", "establish", "delete") * 3,
    *("auth", "reinitialize", "refresh", "forkend", "end"),
)
# The calls of applications between start and end.
LIVES = (
    "auth establish open forkend close delete",  # su
    "establish open forkend close delete",  # runuser
    "auth reinitialize open close delete",  # sudo
    "auth open establish forkend close",  # login
    "establish open reinitialize delete close",  # cron
    "establish open establish close delete",  # sshd, with its child's second call
    "open end close",  # pamela: one handle to open, another one to close
    "open close",
    "open open close close",
    "open close open close",
)
USERS = ("alice", "bob", "alice", "bob", "alice", "root", "nosuch", "-")


@dataclass(frozen=True)
class Line:
    """One occurrence of the module in a stack: in the auth or in the session part."""

    part: str
    options: tuple[str, ...]


@dataclass(frozen=True)
class Handle:
    """The user of a handle ("-": not known yet, "nosuch": unknown), and its stack."""

    user: str
    lines: tuple[Line, ...]
    permit: bool  # whether pam_permit is beside the module in every part

    def stack(self, module: str) -> str:
        """The service file, with this name for the module."""
        text = [f"{line.part} required {module} {' '.join(line.options)}" for line in self.lines]
        if self.permit:
            text += [f"{part} required pam_permit.so" for part in ("auth", "account", "session")]
        return "\n".join(text)


@dataclass(frozen=True)
class Sequence:
    """One case: the stage, one or two handles, and their calls, each in a thread."""

    stage: str  # the argument of pamdrive's `prep`
    real: str  # the user of the application's real ids; its effective ids are root's
    handles: tuple[Handle, ...]
    calls: tuple[tuple[str, int], ...]
    threads: tuple[int, ...]  # for each call; if empty, all calls are in the first thread

    def script(self) -> str:
        """The script for pamdrive; handle N uses the service hN."""
        lines = [f"prep {self.stage}"]
        if self.real != "root":
            uid, gid = world.uid(self.real), world.gid(self.real)
            lines.append(f"ids {uid} 0 0 {gid} 0 0")
        lines += [f"thread {number}" for number in (1, 2, 0) if self.threads]
        lines.append("hygiene")
        started: set[int] = set()
        threads = iter(self.threads)
        for call, number in (*self.calls, *(("end", n) for n in range(len(self.handles)))):
            lines += [f"thread {thread}" for thread in itertools.islice(threads, 1)]
            if number not in started:
                started.add(number)
                lines.append(f"start {number} h{number} {self.handles[number].user}")
            lines.append(f"{call} {number}" + (" alice" if call == "forkend" else ""))
            if call == "end":
                started.discard(number)
        return "\n".join([*lines, "hygiene", ""])


_words = st.lists(st.sampled_from((*OPTIONS, "force", "revoke")), max_size=4).map(tuple)
_lines = st.builds(Line, st.sampled_from(("session", "auth")), _words)
# The usual stack has an auth and a session line with the same options; others have any lines.
_stacks = st.one_of(
    _words.map(lambda words: (Line("auth", words), Line("session", words))),
    _words.map(lambda words: (Line("auth", words), Line("session", words))),
    st.lists(_lines, min_size=1, max_size=3).map(tuple),
)
_handles = st.builds(Handle, st.sampled_from(USERS), _stacks, st.booleans())
_owners = st.sampled_from(("alice", "bob", "root"))
_stages = st.one_of(
    st.sampled_from(("none", "us")),
    st.builds("{} {}".format, st.sampled_from(("own", "revoked")), _owners),
)


@st.composite
def _lives(draw: st.DrawFn, handles: int) -> list[tuple[str, int]]:
    """The calls of each handle as an application makes them, interleaved in any way."""
    left = [draw(st.sampled_from(LIVES)).split() for _ in range(handles)]
    calls = []
    while any(left):
        number = draw(st.sampled_from([n for n in range(handles) if left[n]]))
        calls.append((left[number].pop(0), number))
    return calls


@st.composite
def sequences(draw: st.DrawFn, *, threads: str = "") -> Sequence:
    """Every kind of sequence; short and simple ones first when Hypothesis shrinks.

    With `threads` half of them have three threads: each "call" is in any of them, or the calls of
    each "handle" are.
    """
    handles = draw(st.one_of(st.tuples(_handles), st.tuples(_handles, _handles)))
    call = st.tuples(st.sampled_from(CALLS), st.integers(0, len(handles) - 1))
    calls = st.one_of(st.lists(call, min_size=2, max_size=10), _lives(len(handles)))
    drawn = tuple(draw(calls))
    some = draw(st.tuples(*[st.integers(0, 2)] * len(drawn)))
    if threads == "handle":
        some = tuple(some[number] for _, number in drawn)
    return Sequence(
        stage=draw(_stages),
        real=draw(st.sampled_from(("root", "alice", "bob"))),
        handles=handles,
        calls=drawn,
        threads=some if threads and draw(st.booleans()) else (),
    )
