"""The options that pam_keyinit does not have.  A login without one imports words alone."""
