"""Tests of `sessions` and `watch`."""
