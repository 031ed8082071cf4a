"""Mutants of the core: each one is killed by a test, or explained."""
