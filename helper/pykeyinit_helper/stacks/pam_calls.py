"""The PAM calls of `try`, in a child process: through pamela, or python-pam first.

A module may crash its process, and pam_python.so does crash Python ones where the client
releases the interpreter's lock around its calls.  So the clients are loaded with a CDLL
that keeps it, in a child whose exit status is checked.
"""

import ctypes
import ctypes.util
import importlib
import os
import pwd
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

Step = tuple[str, int, str]  # the call, its code, the text of libpam


class How(NamedTuple):
    """The options of a trial session.

    `confdir` replaces /etc/pam.d; `looks` is whether keyrings are examined;
    `makes` is whether a line of the auth part always creates a keyring.
    """

    confdir: str | None = None
    password: str | None = None
    credentials_first: bool = True
    looks: bool = True
    makes: bool = False


def _client(name: str) -> Any:
    """pamela or python-pam, changed to keep the interpreter's lock."""
    plain = ctypes.CDLL
    ctypes.CDLL = ctypes.PyDLL  # type: ignore[misc]
    try:
        return importlib.import_module(name)
    finally:
        ctypes.CDLL = plain  # type: ignore[misc]


def _with_confdir(function: Any, library: Any, confdir: str | None) -> Any:
    """pam_start(3), or, with a folder, pam_start_confdir(3)."""
    if confdir is None:
        return function
    start = library.pam_start_confdir
    start.restype = ctypes.c_int
    service, user, conversation, handle = function.argtypes
    start.argtypes = [service, user, conversation, ctypes.c_char_p, handle]
    folder = os.fsencode(confdir)
    return lambda name, who, talk, into: start(name, who, talk, folder, into)


def authenticate(service: str, user: str, password: str, confdir: str | None) -> Step:
    """Authenticate, and check the account, in a PAM handle of its own."""
    client = _client("pam").PamAuthenticator()
    library = ctypes.PyDLL(ctypes.util.find_library("pam"))
    client.pam_start = _with_confdir(client.pam_start, library, confdir)
    # Before the handle ends: python-pam needs it for the text of the code.
    client.authenticate(user, password, service=service, resetcreds=False)
    return "authenticate, acct_mgmt", int(client.code), str(client.reason)


def session(service: str, user: str, how: How, look: Callable[[str], None]) -> Iterator[Step]:
    """Open a session and close it.  Yields each call as it returns.

    look() is called with "first" before credentials are established, with "stored" after it,
    and with "inside".
    """
    pamela = _client("pamela")
    pamela.PAM_START = _with_confdir(pamela.PAM_START, pamela.LIBPAM, how.confdir)
    try:
        answers = pamela.new_simple_password_conv((how.password or "",), "utf-8")
        handle = pamela.pam_start(service, user, conv_func=answers)
    except pamela.PAMError as error:
        yield "start", int(error.errno or 4), str(error.message)
        return

    def call(name: str, function: Any, flag: int) -> Step:
        code = int(function(handle, flag))
        return name, code, str(pamela.pam_strerror(handle, code))

    def established() -> Step:
        look("first")
        step = call("setcred ESTABLISH", pamela.PAM_SETCRED, pamela.PAM_ESTABLISH_CRED)
        look("stored")
        return step

    def opened() -> Step:
        return call("open_session", pamela.PAM_OPEN_SESSION, 0)

    begin = [established, opened] if how.credentials_first else [opened, established]
    if how.password is not None:  # modules store keys only for a user who has authenticated
        begin.insert(0, lambda: call("authenticate", pamela.PAM_AUTHENTICATE, 0))
    done = []
    for step in (make() for make in begin):
        yield step
        if step[1] != 0:
            break
        done.append(step[0])
    else:
        look("inside")
    if "open_session" in done:
        yield call("close_session", pamela.PAM_CLOSE_SESSION, 0)
    if "setcred ESTABLISH" in done and how.credentials_first:  # login(1) does not
        yield call("setcred DELETE", pamela.PAM_SETCRED, pamela.PAM_DELETE_CRED)
    yield "end", int(pamela.PAM_END(handle, 0)), ""


def apart(work: Callable[[], None]) -> None:
    """Call work() in a process of its own, because reading @s may change it."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    os.waitpid(child, 0)


def as_user(user: str, work: Callable[[], None]) -> None:
    """Call work() in a process that has become the user, as a shell of the user."""

    def become() -> None:
        entry = pwd.getpwnam(user)
        if os.getuid() == 0:
            os.initgroups(user, entry.pw_gid)
            os.setresgid(entry.pw_gid, entry.pw_gid, entry.pw_gid)
            os.setresuid(entry.pw_uid, entry.pw_uid, entry.pw_uid)
        work()

    apart(become)
