"""Sessions in a host with threads: the hold of a keyring exists as long as the session."""

import threading
from pathlib import Path

import bare  # type: ignore[import-not-found]  # beside this file


def pages() -> int:
    """The shared pages that keep a thread's credentials (keyctl.keep_credentials)."""
    return Path("/proc/self/maps").read_text().count("/dev/zero (deleted)")


end = threading.Event()
thread = threading.Thread(target=end.wait, daemon=True)
thread.start()
for _ in range(10):
    handle = bare.start()
    assert bare.pam.pam_open_session(handle, 0) == 0
    assert pages() == 1
    assert bare.pam.pam_close_session(handle, 0) == 0
    assert bare.pam.pam_end(handle, 0) == 0
    assert pages() == 0
end.set()
thread.join()
print("fine")  # noqa: T201
