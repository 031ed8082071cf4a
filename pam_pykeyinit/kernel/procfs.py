"""Files of /proc, as text.  io's open() would cost more than all the rest of an option."""

import posix


def text(path: str) -> str:
    """What is in it, or "" where this process may not know."""
    parts = []
    try:
        descriptor = posix.open(path, posix.O_RDONLY)  # closed on exec: Python sees to it
        try:
            while part := posix.read(descriptor, 65536):
                parts.append(part)
        finally:
            posix.close(descriptor)
    except OSError:
        return ""
    return b"".join(parts).decode("utf-8", "surrogateescape")
