"""Files of /proc, as text.  io's open() would cost more than all the rest of an option."""

import posix


def text(path: str) -> str:
    """What is in it, or "" where this process may not know."""
    try:
        descriptor = posix.open(path, posix.O_RDONLY)  # closed on exec: Python sees to it
    except OSError:
        return ""
    parts = []
    try:
        while part := posix.read(descriptor, 65536):
            parts.append(part)
    except OSError:
        return ""
    finally:
        posix.close(descriptor)
    return b"".join(parts).decode("utf-8", "surrogateescape")
