"""Sessions in daemon threads, which the end of the interpreter stops in the middle."""

import threading

import bare  # type: ignore[import-not-found]  # beside this file


def forever() -> None:
    """Open and close sessions."""
    while True:
        mine = bare.start()
        bare.pam.pam_open_session(mine, 0)
        bare.pam.pam_close_session(mine, 0)
        bare.pam.pam_end(mine, 0)


for _ in range(4):
    threading.Thread(target=forever, daemon=True).start()
handle = bare.start()
assert bare.pam.pam_open_session(handle, 0) == 0
print("fine", flush=True)  # noqa: T201
