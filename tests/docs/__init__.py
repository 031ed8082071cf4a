"""The documentation: its commands run, and its statements hold."""
