"""What the documentation says: that its commands run, and that it is so."""
