"""Session keyrings for programs that PAM never sees: pykeyinit-helper(8), and its API.

from pykeyinit_helper.api import ensure_session_keyring
"""

__version__: str


def __getattr__(name: str) -> object:
    """`__version__`, when it is asked for: a package that is broken is main.py's to report."""
    if name == "__version__":
        from pam_pykeyinit import __version__

        return __version__
    raise AttributeError(name)
