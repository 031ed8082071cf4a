"""Tests of the parser of PAM stacks, and check."""
