"""The error of identity.py, in a separate file because a successful login does not need it."""


class NotRestored(Exception):
    """The ids of the thread changed, and could not be restored."""
