"""Run a function in a forked child, so that its changes to ids and keyrings end with it."""

import contextlib
import os
import pickle
import traceback
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

Result = TypeVar("Result")


def in_child(work: Callable[[], Result]) -> Result:
    """Return the picklable result of work().  Raises AssertionError if it raised."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _report(work, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        data = pipe.read()
    os.waitpid(child, 0)
    answer: Any = pickle.loads(data) if data else "the child died"
    assert isinstance(answer, tuple), answer
    result: Result = answer[0]
    return result


def _report(work: Callable[[], Any], writing: int) -> None:
    try:
        data = pickle.dumps((work(),))
    except BaseException:
        data = pickle.dumps(traceback.format_exc())
    with os.fdopen(writing, "wb") as pipe:
        pipe.write(data)
    os._exit(0)


@contextlib.contextmanager
def idle_child() -> Iterator[None]:
    """A forked child that does nothing, and ends with the block."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writing)
        os.read(reading, 1)
        os._exit(0)
    os.close(reading)
    try:
        yield
    finally:
        os.close(writing)
        os.waitpid(child, 0)
