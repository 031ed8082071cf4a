"""Inspect the keyrings of the whole machine: sessions; and report changes: watch."""
