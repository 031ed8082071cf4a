"""The words for inputs of the loader; the checks are in loader/harness.c."""

WORDS = (
    "oc\n", "eocd", "alice\n", "root\n", "bob", "jörg", "nobody", "force", "revoke", "debug",
    "name=%u", "name=", "link=user,persistent", "revoke=1m", "revoke=cred", "minimum_uid=", "tag",
    "ignore_root", "refresh", "on_error=degrade", "foreign=replace", "quota_warn=1", "[", "]",
    "\n", "\x1b[2J", "%n%s", "\r", "\x80", "2o", "1c", "to", "fc", "!0", "!\"", "E", "s", "?\n",
)  # fmt: skip
