"""Read files of /proc.  io's open() would take longer than the rest of an option."""

import posix


def text(path: str) -> str:
    """The content of a file, or "" if this process cannot read it."""
    parts = []
    try:
        descriptor = posix.open(path, posix.O_RDONLY)  # Python adds O_CLOEXEC
        try:
            while part := posix.read(descriptor, 65536):
                parts.append(part)
        finally:
            posix.close(descriptor)
    except OSError:
        return ""
    return b"".join(parts).decode("utf-8", "surrogateescape")
