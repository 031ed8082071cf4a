"""Print the folder of /usr/local in which this Python looks for packages."""

import sysconfig

if "posix_local" in sysconfig.get_scheme_names():  # Debian's
    print(sysconfig.get_path("purelib", "posix_local"))  # noqa: T201
else:
    print(sysconfig.get_path("purelib", "posix_prefix", {"base": "/usr/local"}))  # noqa: T201
