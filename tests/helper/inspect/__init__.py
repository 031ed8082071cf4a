"""Tests of show and explain."""
