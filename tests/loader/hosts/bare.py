"""Open and close a session through ctypes alone, in any version of Python."""

import ctypes

pam = ctypes.CDLL("libpam.so.0")


class Conversation(ctypes.Structure):
    """struct pam_conv."""

    _fields_ = (("conv", ctypes.c_void_p), ("data", ctypes.c_void_p))


conversation = Conversation()
handle = ctypes.c_void_p()
pam.pam_start.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_void_p]
for function in (pam.pam_open_session, pam.pam_close_session, pam.pam_end):
    function.argtypes = [ctypes.c_void_p, ctypes.c_int]


def start(user: bytes = b"alice") -> ctypes.c_void_p:
    """A new PAM handle."""
    handle = ctypes.c_void_p()
    code = pam.pam_start(b"pykeyinit", user, ctypes.byref(conversation), ctypes.byref(handle))
    assert code == 0, code
    return handle


if __name__ == "__main__":
    handle = start()
    assert pam.pam_open_session(handle, 0) == 0
    assert pam.pam_close_session(handle, 0) == 0
    assert pam.pam_end(handle, 0) == 0
    print("fine")  # noqa: T201
