"""A program with modules of the same names as ours keeps them, and we do not run them."""

import sys
import types

import bare  # type: ignore[import-not-found]  # beside this file

for name in (
    "pam_pykeyinit",
    "pam_pykeyinit.module",
    "pam_pykeyinit.kernel.libc",
    "libc",
    "module",
):
    sys.modules[name] = types.ModuleType(name)
path, modules = list(sys.path), dict(sys.modules)
handle = bare.start()
assert bare.pam.pam_open_session(handle, 0) == 0
assert bare.pam.pam_close_session(handle, 0) == 0
assert bare.pam.pam_end(handle, 0) == 0
assert sys.path == path
assert all(sys.modules[name] is module for name, module in modules.items())
print("fine")  # noqa: T201
