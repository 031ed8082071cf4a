"""Change PAM stacks: enable, disable, try."""
