"""The options that pam_keyinit does not have."""
