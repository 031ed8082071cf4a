"""The table of system call numbers, compared with the kernel's own headers."""

import subprocess
from pathlib import Path

import pytest

from pam_pykeyinit.kernel import libc, syscalls, sysnums

# Our name, and the folder of Debian's linux-libc-dev-*-cross packages.
HEADERS = {
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
SOURCE = """
#include <asm/unistd.h>
#ifdef __NR_setresuid32
numbers __NR_add_key, __NR_keyctl, __NR_setresuid32, __NR_setresgid32, __NR_setfsuid32, __NR_flock
#else
numbers __NR_add_key, __NR_keyctl, __NR_setresuid, __NR_setresgid, __NR_setfsuid, __NR_flock
#endif
"""


def test_every_architecture_is_checked() -> None:
    assert set(HEADERS) == set(MACROS) == set(sysnums.TABLE)


@pytest.mark.parametrize("name", sorted(HEADERS))
def test_the_numbers_are_the_kernels(name: str) -> None:
    folders = [Path("/usr", HEADERS[name], "include"), Path("/usr/include", HEADERS[name])]
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
        input=SOURCE,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    numbers = eval(output.split("numbers")[1].strip())  # as in (0 + 309)
    assert numbers == sysnums.TABLE[name]


@pytest.mark.parametrize("uid", [0, 1000, 2**31 - 1, 2**31, 3_000_000_000])
def test_an_id_that_a_32_bit_process_sees_as_negative(
    uid: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """setfsuid(2) returns a long: it has 32 bits there, and the id may need all of them."""
    signed = uid - 2**32 if uid >= 2**31 else uid
    monkeypatch.setattr(libc, "syscall", lambda number, *arguments: signed)
    assert syscalls.setfsuid(syscalls.KEEP) == uid
