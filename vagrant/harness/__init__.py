"""Real logins on whole machines: made from Debian's packages, booted, looked at, compared."""
