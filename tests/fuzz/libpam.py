"""libpam.py FOLDER: ask the machine's libpam over pipes how it runs a stack.

It prints a line when it is ready, and then for each line of input one line of JSON: the modules
that the service svc of FOLDER calls, a line each, and the codes of the calls; neither if libpam
cannot start.  This is a separate process because libpam can crash.
"""

import ctypes
import json
import os
import select
import subprocess
import sys
from pathlib import Path

CALLS = {"auth": "authenticate", "account": "acct_mgmt", "session": "open_session"}
Answer = tuple[str, list[int]]

_PATIENCE = 2  # seconds
# libpam's log is not read, and writers to an unread log block, syslog(3).
_WITHOUT_LOG = '[ ! -e /dev/log ] || mount --bind /dev/null /dev/log; exec "$@"'
_ABORT = 26  # the result of pam_start(3) for unreadable files


class Libpam:
    """The client.  A process that died is replaced by a new one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process: subprocess.Popen[str] | None = None

    def ask(self) -> Answer | None:
        """The called modules, and the codes; None if libpam has crashed, or does not end."""
        if self._process is None:
            self._process = subprocess.Popen(
                ["unshare", "--mount", "--propagation", "unchanged", "sh", "-c", _WITHOUT_LOG, "-",
                 sys.executable, "-P", "-m", "fuzz.libpam", self.folder],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                text=True, bufsize=1,
            )  # fmt: skip
            assert self._process.stdout
            self._process.stdout.readline()  # a busy machine starts Python slowly
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write("\n")
        said, _, _ = select.select([self._process.stdout], [], [], _PATIENCE)
        line = self._process.stdout.readline() if said else ""
        if not line:
            self.forget()
            return None
        notes, codes = json.loads(line)
        return notes, codes

    def forget(self) -> None:
        """Use a new process for the next question."""
        if self._process:
            self._process.kill()
            self._process.communicate()
            self._process = None


def _answer(pam: ctypes.CDLL, folder: Path, notes: Path) -> Answer:
    notes.write_bytes(b"")
    handle, conversation = ctypes.c_void_p(), (ctypes.c_void_p * 2)()
    code = pam.pam_start_confdir(
        b"svc", b"root", conversation, bytes(folder), ctypes.byref(handle)
    )
    if code:
        assert code == _ABORT, code
        return "", []
    codes = [getattr(pam, f"pam_{call}")(handle, 0) for call in CALLS.values()]
    pam.pam_end(handle, 0)
    return notes.read_bytes().decode("utf-8", "surrogateescape"), codes


def main() -> None:
    """Answer until there are no more questions."""
    folder = Path(sys.argv[1])
    notes = folder / "notes"
    os.environ["PAM_NOTES"] = str(notes)
    pam = ctypes.CDLL("libpam.so.0")
    print("ready", flush=True)
    for _ in sys.stdin:
        print(json.dumps(_answer(pam, folder, notes)), flush=True)


if __name__ == "__main__":
    main()
