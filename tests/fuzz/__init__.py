"""Fuzzing: generated inputs, guided by code coverage."""
