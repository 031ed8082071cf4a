"""Write one line for the user of the helper.

If descriptor 2 is a socket, it belongs to the client of a network service, as under inetd(8), or
to the journal.  Then the line is sent to syslog(3), which both have.
"""

import posix

from pam_pykeyinit.log import printable

# The levels of syslog(3).
ERR, WARNING, NOTICE, DEBUG = 3, 4, 5, 7

_FORMAT, _SOCKET = 0o170000, 0o140000


def say(text: str, level: int = ERR) -> None:
    """Write one line to standard error, or log it if that is a socket.  Never fails."""
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
