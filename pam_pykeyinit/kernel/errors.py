"""What goes wrong with ids.  Apart, because no login that goes well needs it."""


class NotRestored(Exception):
    """The thread's ids are not what they were, and could not be put back."""
