"""Fuzzing: inputs that a program makes up, guided by the code that they reach."""
