"""Look at the keyrings of the whole machine: sessions; and at what happens to them: watch."""
