"""The statements of the manual pages about keyrings, each tried on the kernel."""
