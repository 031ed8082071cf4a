"""The command line: words, commands, output."""
