"""Session keyrings for programs that PAM never sees: pykeyinit-helper(8), and its API.

from pykeyinit_helper.api import ensure_session_keyring
"""

from pam_pykeyinit import __version__ as __version__
