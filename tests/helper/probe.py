# mypy: ignore-errors
"""Run as a program: set a stage for pykeyinit-helper, or report what it was started with.

    probe.py stage KIND [USER] [deny ERRNO WHAT] [fill|hide USER] -- COMMAND...
    WHAT: an operation of keyctl(2), any, add_key or request_key
    probe.py tell        one line of JSON on standard output

Isolated and without the project's packages, so that it does not share their errors.  It uses
only a copy of the table of system call numbers, which tests/kernel compares with the kernel's.
"""

import ctypes
import errno
import json
import os
import pwd
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from sysnums import ADD_KEY, KEYCTL, SETRESGID, SETRESUID

SESSION, USER, USER_SESSION = -3, -4, -5
GET_ID, JOIN, REVOKE, SETPERM, DESCRIBE, LINK, READ, SET_TIMEOUT, INVALIDATE = (
    0, 1, 3, 5, 6, 8, 11, 15, 21,
)  # fmt: skip

libc = ctypes.CDLL(None, use_errno=True)


def call(number, *arguments):
    """syscall(2); raises OSError."""
    result = libc.syscall(number, *arguments)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def keyctl(operation, *arguments):
    """keyctl(2)."""
    return call(KEYCTL, operation, *arguments)


def describe(key):
    """The kernel's description, or the name of the errno."""
    text = ctypes.create_string_buffer(5000)
    try:
        keyctl(DESCRIBE, key, text, 5000)
    except OSError as error:
        return errno.errorcode[error.errno]
    return text.value.decode("utf-8", "surrogateescape")


def ids_of(name):
    """The uid and gid of a user, or of a number without a user."""
    if name.isdigit():
        return int(name), int(name)
    entry = pwd.getpwnam(name)
    return entry.pw_uid, entry.pw_gid


def as_user(name, work):
    """Call work() with the real ids of a user."""
    uid, gid = ids_of(name)
    call(SETRESGID, gid, -1, -1)
    call(SETRESUID, uid, -1, -1)
    result = work()
    call(SETRESUID, 0, 0, 0)
    call(SETRESGID, 0, 0, 0)
    return result


def has_none():
    """Whether there is no session keyring: then @s is the @us of each user it becomes."""
    child = os.fork()
    if child == 0:
        call(SETRESUID, 61999, 61999, 61999)
        os._exit(keyctl(GET_ID, SESSION, 0) != keyctl(GET_ID, USER_SESSION, 0))
    return os.waitpid(child, 0)[1] == 0


def own(user, *, linked=True):
    """Join a session keyring that a user owns."""

    def work():
        serial = keyctl(JOIN, None)
        if linked:
            keyctl(LINK, USER, SESSION)
        return serial

    return as_user(user, work)


def stage(words):
    """KIND: none | us | own | unlinked | revoked | expired | invalidated, of USER; asis."""
    kind, user = words[0], (words[1:] or ["root"])[0]
    if kind in ("none", "us"):
        if not has_none():
            sys.exit(99)
        if kind == "us":
            as_user(user, lambda: keyctl(GET_ID, SESSION, 0))
    elif kind != "asis":
        serial = own(user, linked=kind != "unlinked")
        if kind == "revoked":
            keyctl(REVOKE, serial)
        elif kind == "invalidated":
            keyctl(INVALIDATE, serial)
        elif kind == "expired":
            keyctl(SET_TIMEOUT, serial, 1)
            time.sleep(1.1)


def fill(user, *, hide):
    """Really use up the key quota of a user; the keys are linked to their @u.

    With `hide`, @us cannot be joined by its name afterwards.
    """
    child = os.fork()
    if child == 0:
        uid = ids_of(user)[0]
        os.setresuid(uid, uid, uid)
        keyctl(SETPERM, keyctl(GET_ID, USER_SESSION, 0), 0x1F370000 if hide else 0x1F3F0000)
        number, size = 0, 32000
        while size:
            try:
                call(ADD_KEY, b"user", b"fill%d" % number, b"x" * size, size, USER)
            except OSError as error:
                if error.errno != errno.EDQUOT:
                    os._exit(1)
                wait_for_refused(uid)
                size //= 2
            number += 1
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        sys.exit("fill failed")


def wait_for_refused(uid):
    """Until the kernel has collected a key that it refused, it is counted."""
    for _ in range(3000):
        with open("/proc/key-users") as lines:
            counts = [line.split()[2] for line in lines if line.split(":")[0].strip() == str(uid)]
        if all(len(set(count.split("/"))) == 1 for count in counts):
            return
        time.sleep(0.01)


def deny(error, operation):
    """From now on keyctl(2) fails, for one operation or for any; or add_key, or request_key.

    The error "nothing" makes the call return 0 without an effect.
    """
    code = 0 if error == "nothing" else getattr(errno, error)
    load, jump_equal, allow = 0x20, 0x15, 0x7FFF0000
    number = {"add_key": ADD_KEY, "request_key": ADD_KEY + 1}.get(operation, KEYCTL)
    one_operation = operation.isdigit()
    program = [(load, 0, 0, 0), (jump_equal, 0, 3 if one_operation else 1, number)]
    if one_operation:
        low_half = 16 if sys.byteorder == "little" else 20  # of the first argument
        program += [(load, 0, 0, low_half), (jump_equal, 0, 1, int(operation))]
    program += [(0x06, 0, 0, 0x50000 | code), (0x06, 0, 0, allow)]
    packed = b"".join(struct.pack("HBBI", *step) for step in program)
    code_buffer = ctypes.create_string_buffer(packed)
    filter_ = struct.pack("@HP", len(program), ctypes.addressof(code_buffer))
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, filter_):
        sys.exit("seccomp failed")


def tell():
    """Everything that a program was started with."""
    reported = {"pid": os.getpid(), "ppid": os.getppid(), "argv": sys.argv[2:], "cwd": os.getcwd()}
    reported["ids"] = [*os.getresuid(), *os.getresgid()]
    reported["groups"] = sorted(os.getgroups())
    reported["environment"] = sorted(os.fsdecode(k + b"=" + v) for k, v in os.environb.items())
    try:
        reported["session"] = keyctl(GET_ID, SESSION, 0)
        reported["description"] = describe(SESSION)
        links = ctypes.create_string_buffer(4096)
        size = keyctl(READ, SESSION, links, 4096)
        reported["links"] = sorted(
            describe(n) for (n,) in struct.iter_unpack("i", links.raw[:size])
        )
        reported["is_user_session"] = reported["session"] == keyctl(GET_ID, USER_SESSION, 0)
    except OSError as error:
        reported["error"] = errno.errorcode[error.errno]
    with open("/proc/self/status") as status:
        reported["status"] = [line.split() for line in status if line[:3] in ("Sig", "Sei", "NoN")]
    reported["descriptors"] = []
    for descriptor in range(32):
        try:
            os.fstat(descriptor)
        except OSError:
            continue
        reported["descriptors"].append(descriptor)
    return reported


def main():
    """Execute one command line."""
    if sys.argv[1] == "tell":
        line = json.dumps(tell())
        os.write(int(os.environ.get("TELL", "1")), line.encode() + b"\n")
        return
    end = sys.argv.index("--")
    words = sys.argv[2:end]
    for number, word in enumerate(words):
        if word == "deny":
            stage(words[:number])
            deny(*words[number + 1 : number + 3])
            break
        if word in ("fill", "hide"):
            stage(words[:number])
            fill(words[number + 1], hide=word == "hide")
            break
    else:
        stage(words)
    os.execvp(sys.argv[end + 1], sys.argv[end + 1 :])


main()
