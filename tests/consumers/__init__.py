"""Real programs that keep keys in keyrings, in each kind of session: docs/consumers.md."""
