"""Session keyrings at login, as pam_keyinit(8) creates them, in Python."""

__version__ = "0.2.0"
