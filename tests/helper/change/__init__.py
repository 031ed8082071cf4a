"""Tests of enable, disable and try."""
