"""Generated sequences, through our module and through pam_keyinit."""
