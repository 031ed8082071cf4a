"""The table of system call numbers, compared with the kernel's own headers."""

import pytest

from pam_pykeyinit.kernel import libc, setids, sysnums
from support import headers

SOURCE = """
#include <asm/unistd.h>
#ifdef __NR_setresuid32
numbers __NR_add_key, __NR_keyctl, __NR_setresuid32, __NR_setresgid32, __NR_setfsuid32, __NR_flock
#else
numbers __NR_add_key, __NR_keyctl, __NR_setresuid, __NR_setresgid, __NR_setfsuid, __NR_flock
#endif
"""


def test_every_architecture_is_checked() -> None:
    assert set(headers.FOLDERS) == set(headers.MACROS) == set(sysnums.TABLE)


@pytest.mark.parametrize("name", sorted(headers.FOLDERS))
def test_the_numbers_are_the_kernels(name: str) -> None:
    assert headers.numbers(name, SOURCE) == sysnums.TABLE[name]


def test_on_arm_too_the_number_of_no_call_is_one_that_is_refused() -> None:
    """There a number above the processor's own calls is an illegal instruction, not ENOSYS."""
    own = headers.numbers("arm", "#include <asm/unistd.h>\nnumbers __ARM_NR_BASE")
    assert max(max(numbers) for numbers in sysnums.TABLE.values()) < sysnums.NO_SUCH_CALL
    assert 7000 < sysnums.NO_SUCH_CALL < own  # and above those of mips, which begin at 6000


@pytest.mark.parametrize("uid", [0, 1000, 2**31 - 1, 2**31, 3_000_000_000])
def test_an_id_that_a_32_bit_process_sees_as_negative(
    uid: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """setfsuid(2) returns a long: it has 32 bits there, and the id may need all of them."""
    signed = uid - 2**32 if uid >= 2**31 else uid
    monkeypatch.setattr(libc, "syscall", lambda number, *arguments: signed)
    assert setids.setfsuid(setids.KEEP) == uid
