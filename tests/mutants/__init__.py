"""Mutants of the core: what survives the tests is killed by a new one, or explained."""
