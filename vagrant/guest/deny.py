#!/usr/bin/python3 -I
"""deny.py ERRNO PROGRAM...: execute a program to which a seccomp filter denies keyctl(2).

The numbers of system calls are of our package's table, which tests/kernel checks.
"""

import ctypes
import errno
import os
import struct
import sys

from pam_pykeyinit.kernel.sysnums import ADD_KEY, KEYCTL

KEY_CALLS = (ADD_KEY, ADD_KEY + 1, KEYCTL)  # add_key, request_key, keyctl
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
LOAD, JUMP_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, FAIL = 0x7FFF0000, 0x00050000

code = FAIL | getattr(errno, sys.argv[1])
steps = [(LOAD, 0, 0, 0)]
for left, number in zip((3, 2, 1), KEY_CALLS):
    steps.append((JUMP_EQUAL, left, 0, number))
steps += [(RETURN, 0, 0, ALLOW), (RETURN, 0, 0, code)]
program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
described = struct.pack("HP", len(steps), ctypes.addressof(program))
libc = ctypes.CDLL(None, use_errno=True)
# Root does not need PR_SET_NO_NEW_PRIVS, which changes the effect of set-user-ID programs.
if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, described, 0, 0):
    sys.exit(f"seccomp: {os.strerror(ctypes.get_errno())}")
os.execvp(sys.argv[2], sys.argv[2:])
