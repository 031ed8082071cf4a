"""Start a program with a session keyring: run, adopt."""
