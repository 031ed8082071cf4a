"""The Debian package, in scratch systems: ./setup deb --test."""
