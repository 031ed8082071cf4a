"""Sessions from a sub-interpreter, in the main thread and in another one."""

import importlib
import sys
import threading

import bare  # type: ignore[import-not-found]  # beside this file

interpreters = importlib.import_module(
    "_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters"
)

SCRIPT = f"""
import sys
sys.path.insert(0, {bare.__file__.rpartition("/")[0]!r})
import bare  # type: ignore[import-not-found]  # beside this file
handle = bare.start()
codes = [bare.pam.pam_open_session(handle, 0), bare.pam.pam_close_session(handle, 0)]
assert bare.pam.pam_end(handle, 0) == 0
assert codes == [0, 0], codes
"""


def run() -> None:
    """Once in a new sub-interpreter."""
    # In 3.12 ctypes cannot be imported in a sub-interpreter with its own GIL.
    one_gil = {"isolated": False} if sys.version_info[:2] == (3, 12) else {}
    interpreter = interpreters.create(**one_gil)
    failed = interpreters.run_string(interpreter, SCRIPT)  # in 3.13 and later it does not raise
    assert failed is None, failed
    interpreters.destroy(interpreter)


run()
thread = threading.Thread(target=run)
thread.start()
thread.join()
handle = bare.start()
assert bare.pam.pam_open_session(handle, 0) == 0
assert bare.pam.pam_close_session(handle, 0) == 0
assert bare.pam.pam_end(handle, 0) == 0
print("fine")  # noqa: T201
