"""The kernel's headers for each processor, of Debian's linux-libc-dev-*-cross packages."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

# Our name, and the folder of the package.
FOLDERS = {
    "aarch64": "aarch64-linux-gnu",
    "arm": "arm-linux-gnueabihf",
    "i386": "i686-linux-gnu",
    "powerpc64le": "powerpc64le-linux-gnu",
    "riscv64": "riscv64-linux-gnu",
    "s390x": "s390x-linux-gnu",
    "x86_64": "x86_64-linux-gnu",
}
# The macros of that architecture's compiler.
MACROS = {
    "aarch64": ["__aarch64__", "__LP64__"],
    "arm": ["__arm__", "__ARM_EABI__"],
    "i386": ["__i386__"],
    "powerpc64le": ["__powerpc64__", "__powerpc__"],
    "riscv64": ["__riscv", "__LP64__"],
    "s390x": ["__s390x__"],
    "x86_64": ["__x86_64__", "__LP64__"],
}


def numbers(name: str, source: str) -> Any:
    """The numbers after the word `numbers` in a C source, as that processor has them.

    Skips the test without its headers.
    """
    folders = [Path("/usr", FOLDERS[name], "include"), Path("/usr/include", FOLDERS[name])]
    present = [folder for folder in folders if (folder / "asm/unistd.h").exists()]
    if not present:
        pytest.skip(f"no kernel headers of {name}: linux-libc-dev-*-cross")
    common = ["-I/usr/include"] if present[0].parent.name == "include" else []
    undefined = [f"-U{macro}" for macros in MACROS.values() for macro in macros]
    defined = [f"-D{macro}=1" for macro in MACROS[name]]
    if name == "riscv64":
        defined.append("-D__riscv_xlen=64")
    output = subprocess.run(
        ["cpp", "-P", "-nostdinc", *undefined, *defined, f"-I{present[0]}", *common],
        input=source,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    text = output.split("numbers")[1].strip()  # as in (0 + 309), or (1U << 29) | ('W' << 8)
    return eval(re.sub(r"'(.)'", lambda one: str(ord(one[1])), re.sub(r"\b(\d+)U\b", r"\1", text)))
