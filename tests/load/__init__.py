"""Many sessions, one after the other and at the same time."""
