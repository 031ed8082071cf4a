"""Read PAM stacks and the machine, and judge them: check."""
