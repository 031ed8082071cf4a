#!/usr/bin/python3 -I
"""deny.py ERRNO PROGRAM...: execute a program to which a seccomp filter denies keyctl(2)."""

import ctypes
import errno
import os
import struct
import sys

KEY_CALLS = (248, 249, 250)  # add_key, request_key, keyctl: x86-64's numbers
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
LOAD, JUMP_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, FAIL = 0x7FFF0000, 0x00050000

code = FAIL | getattr(errno, sys.argv[1])
steps = [(LOAD, 0, 0, 0)]
for left, number in zip((3, 2, 1), KEY_CALLS):
    steps.append((JUMP_EQUAL, left, 0, number))
steps += [(RETURN, 0, 0, ALLOW), (RETURN, 0, 0, code)]
program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
described = struct.pack("HxxxxxxQ", len(steps), ctypes.addressof(program))
libc = ctypes.CDLL(None, use_errno=True)
# Root needs no PR_SET_NO_NEW_PRIVS, which would change what set-user-ID programs do.
if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, described, 0, 0):
    sys.exit(f"seccomp: {os.strerror(ctypes.get_errno())}")
os.execvp(sys.argv[2], sys.argv[2:])
