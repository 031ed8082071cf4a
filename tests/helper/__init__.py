"""pykeyinit-helper, as installed."""
