"""Attacks of an unprivileged user, each with a control that succeeds without our defence."""
