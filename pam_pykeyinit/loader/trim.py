"""trim.py AR OBJDUMP OBJCOPY ARCHIVE OUTPUT: pystate.o of a static libpython, for a quicker start.

CPython 3.11 and later keep a second copy of the runtime's first state, `initial`, for a
process that ends its interpreter and starts another (_PyRuntimeState_Init in
Python/pystate.c).  A login never does.  But the dynamic linker fills in its addresses at each
login, some 1,100 of them, and that makes 160 kB of it the process's own.  So the object gets
out of the archive and loses them.  Where it is not found as it is known, it stays as it is.
"""

import subprocess
import sys
from pathlib import Path

MEMBER = "pystate.o"
SECTION = ".data.rel.ro"


def output(*command: str) -> str:
    """What a program prints."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def holds_the_copy_alone(objdump: str, file: Path) -> bool:
    """Whether the section has one thing in it, of its size, and that is `initial`."""
    headers = output(objdump, "-h", str(file)).split("\n")
    sizes = [line.split()[2] for line in headers if line.split()[1:2] == [SECTION]]
    symbols = [line.split() for line in output(objdump, "-t", str(file)).split("\n")]
    found = [words[-2:] for words in symbols if SECTION in words and words[-1] != SECTION]
    return len(sizes) == 1 and [[int(size, 16), name] for size, name in found] == [
        [int(sizes[0], 16), "initial"]
    ]


def main(ar: str, objdump: str, objcopy: str, archive: Path, result: Path) -> None:
    """Make the object."""
    member = subprocess.run([ar, "p", archive, MEMBER], check=True, capture_output=True).stdout
    result.write_bytes(member)
    if holds_the_copy_alone(objdump, result):
        subprocess.run([objcopy, f"--remove-relocations={SECTION}", result], check=True)


if __name__ == "__main__":
    _, ar_, objdump_, objcopy_, archive_, result_ = sys.argv
    main(ar_, objdump_, objcopy_, Path(archive_), Path(result_))
