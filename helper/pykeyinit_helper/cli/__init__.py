"""The command line: its words, what each command does, the exit status."""
