"""Look at keyrings: show, explain, and the commands that mend."""
