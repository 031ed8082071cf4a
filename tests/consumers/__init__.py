"""Real programs that keep keys in keyrings, in sessions of every way: docs/consumers.md."""
