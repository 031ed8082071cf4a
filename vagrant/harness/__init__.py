"""Real logins on whole machines: made from Debian's packages, booted, examined, compared."""
