"""Session keyrings for programs that PAM never sees: pykeyinit-helper(8), and its API.

from pykeyinit_helper.api import ensure_session_keyring
"""

__version__: str


def __getattr__(name: str) -> object:
    """Import `__version__` on request, so that main.py can report a broken package."""
    if name == "__version__":
        from pam_pykeyinit import __version__

        return __version__
    raise AttributeError(name)
