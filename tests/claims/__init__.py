"""What the manual pages say of keyrings, statement by statement, asked of the kernel."""
