"""One line to whoever started the helper.

Where descriptor 2 is a socket it is the client's of a network service, as inetd(8) starts
them, or the journal's: there the line goes to syslog(3), which both have.
"""

import posix

from pam_pykeyinit.log import printable

# The levels of syslog(3).
ERR, WARNING, NOTICE, DEBUG = 3, 4, 5, 7

_FORMAT, _SOCKET = 0o170000, 0o140000


def say(text: str, level: int = ERR) -> None:
    """Write one line to standard error, or log it where that is a socket.  Never fails."""
    line = printable(text).encode("utf-8", "backslashreplace")
    try:
        if posix.fstat(2).st_mode & _FORMAT == _SOCKET:
            _log(line.decode(), level)
        else:
            posix.write(2, b"pykeyinit-helper: %s\n" % line)
    except OSError:
        pass  # there is none to write to


def _log(line: str, level: int) -> None:
    import syslog

    syslog.openlog("pykeyinit-helper", syslog.LOG_PID, syslog.LOG_DAEMON)
    syslog.syslog(level, line)
