"""System call numbers.

libc has no function for keyctl(2), and its set*id functions change all threads of the process,
but we must change only one.  Therefore both use syscall(2), which needs the numbers.  The key is
the architecture of this interpreter, not uname(2): a 32-bit process on a 64-bit kernel makes
32-bit calls.
"""

import sys

# For i386, arm and s390x these are the calls with 32-bit ids, such as setresuid32.
#               add_key keyctl setresuid setresgid setfsuid flock
TABLE = {
    "x86_64": (248, 250, 117, 119, 122, 73),
    "i386": (286, 288, 208, 210, 215, 143),
    "arm": (309, 311, 208, 210, 215, 143),
    "aarch64": (217, 219, 147, 149, 151, 32),
    "riscv64": (217, 219, 147, 149, 151, 32),
    "powerpc64le": (269, 271, 164, 169, 138, 143),
    "s390x": (278, 280, 208, 210, 215, 143),
}

# No call has this number: the kernel returns ENOSYS, which every caller handles.  -1 would not do:
# on arm the kernel ends a program for numbers above those of its own calls.
NO_SUCH_CALL = 0x7FFF


def architecture(multiarch: str) -> str:
    """The key of TABLE for a multiarch triplet such as ``x86_64-linux-gnu``.

    x32 shares the processor's name with x86_64 but not its numbers.
    """
    machine, _, abi = multiarch.partition("-")
    return "" if abi.endswith("x32") else machine


ARCHITECTURE = architecture(getattr(sys.implementation, "_multiarch", ""))

ADD_KEY, KEYCTL, SETRESUID, SETRESGID, SETFSUID, FLOCK = TABLE.get(
    ARCHITECTURE, (NO_SUCH_CALL,) * 6
)
