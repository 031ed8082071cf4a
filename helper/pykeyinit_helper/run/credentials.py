"""Add the content of files to the session keyring of a program: `run --credential`.

Imported only for this option.  The files are opened before the user is changed, and read after
it, because the kernel counts a key for the user who adds it.
"""

import posix
import stat
from errno import ELOOP

from pam_pykeyinit.failure import failed
from pam_pykeyinit.kernel import keyctl, syscalls
from pykeyinit_helper import decide
from pykeyinit_helper.become import Refused
from pykeyinit_helper.inspect import keytypes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pykeyinit_helper.run.prepare import Preparation

_MOST_BYTES = 32767  # of a key of type "user": user_preparse in the kernel
_RIGHTS = 0x1B010000  # possessor: view, read, search, link; user: view
_OTHERS = stat.S_IRWXG | stat.S_IRWXO

# Without O_NONBLOCK, opening a FIFO waits for a writer.  Python adds O_CLOEXEC.
_HOW = posix.O_RDONLY | posix.O_NOFOLLOW | posix.O_NOCTTY | posix.O_NONBLOCK


class Credentials:
    """The files of all options, open and checked."""

    __slots__ = ("_files", "_timeout")

    def __init__(self, values: "list[str]", timeout: int) -> None:
        """Open the FILE of each NAME=FILE.  The timeout is in seconds, 0 for none.

        Raises Refused.
        """
        self._files: list[_File] = []
        self._timeout = timeout
        for value in values:
            name, path = _split(value)
            if any(name == other.name for other in self._files):
                raise Refused(f"--credential {name[:64]}: this NAME is given twice")
            self._files.append(_File(name, path))

    def put(self, preparation: "Preparation") -> None:
        """Add the keys, as the user whose ids this thread has.

        Raises Refused if there is no new session keyring, or if a key cannot be added.
        """
        if not (preparation.created and preparation.done == decide.JOIN_NEW):
            why = preparation.refusals[0] if preparation.refusals else "no new session keyring"
            raise Refused(f"{why}; not started because of --credential")
        if posix.getuid() != posix.geteuid():
            ids = "the real and the effective user id differ, so the key would not be the user's"
            raise Refused(f"--credential: {ids}: name the user with --user")
        for file in self._files:
            file.put(preparation.serial, self._timeout)
            preparation.steps.append(f"added the key {file.name[:64]}")


def _split(value: str) -> "tuple[str, str]":
    """The NAME and the FILE.  A value of another form may be a secret, so it is not printed."""
    name, equals, path = value.partition("=")
    if not (equals and path):
        raise Refused("--credential is NAME=FILE; see pykeyinit-helper run --help")
    if not (name.isprintable() and 0 < keytypes.size(name) <= keytypes.LONGEST_DESCRIPTION):
        raise Refused("the NAME of --credential is a printable text of 1 to 4095 bytes")
    return name, path


class _File:
    """An open file, and the NAME of its key."""

    __slots__ = ("_descriptor", "_path", "_size", "name")

    def __init__(self, name: str, path: str) -> None:
        """Open and check it, as ssh(1) checks a private key.  Raises Refused."""
        self.name = name
        self._path = path
        try:
            self._descriptor = posix.open(path, _HOW)
        except OSError as error:
            link = error.errno == ELOOP
            text = "it is a symbolic link: name the file itself" if link else error.strerror
            raise self._refused(f"cannot be opened: {text}") from error
        found = posix.fstat(self._descriptor)
        self._size = found.st_size
        wrong = _wrong(found)
        if wrong:
            raise self._refused(wrong)

    def _refused(self, why: str) -> Refused:
        return Refused(f"--credential {self.name[:64]}: {self._path} {why}; nothing was started")

    def put(self, keyring: int, timeout: int) -> None:
        """Read the file, and add the key to a keyring.  Raises Refused."""
        content = bytearray(self._size)
        try:
            self._read(content)
            _add(self.name, content, keyring, timeout)
        except syscalls.KernelError as error:
            text = failed(error, f"no key for --credential {self.name[:64]}")
            raise Refused(f"{text}; nothing was started") from error
        finally:
            content[:] = bytes(len(content))
        posix.close(self._descriptor)

    def _read(self, content: bytearray) -> None:
        """Read the file into a buffer that can be overwritten, without a copy."""
        with memoryview(content) as space:
            done = 0
            try:
                while done < len(space):
                    count = posix.readv(self._descriptor, [space[done:]])
                    if not count:
                        break
                    done += count
                now = posix.fstat(self._descriptor).st_size
            except OSError as error:
                raise self._refused(f"cannot be read: {error.strerror}") from error
        if not done == now == self._size:
            raise self._refused("has changed meanwhile: try again")


def _wrong(found: posix.stat_result) -> str:
    """Why a file may not be used, and what to do, or "".  Pure, except for this process's uid."""
    if not stat.S_ISREG(found.st_mode):
        return "is not a regular file: store the secret in one"
    if found.st_uid not in (0, posix.geteuid()):
        return f"belongs to uid {found.st_uid}: it must belong to root or to you"
    if found.st_mode & _OTHERS:
        mode = stat.S_IMODE(found.st_mode)
        return f"gives access to others (mode {mode:04o}): run chmod 600 on it"
    if not 0 < found.st_size <= _MOST_BYTES:
        return f"has {found.st_size} bytes: a key has 1 to {_MOST_BYTES}"
    return ""


def _add(name: str, content: bytearray, keyring: int, timeout: int) -> None:
    """Add a key to the thread keyring, complete it, and move it to the session keyring.

    Only this thread possesses the thread keyring.  The permissions come last, because they
    include no right to change the key.  Raises KernelError.
    """
    key = keyctl.add_user_key(name, content, syscalls.THREAD_KEYRING)
    if timeout:
        keyctl.set_timeout(key, timeout)
    keyctl.set_permissions(key, _RIGHTS)
    keyctl.link(key, keyring)
    keyctl.unlink(key, syscalls.THREAD_KEYRING)
