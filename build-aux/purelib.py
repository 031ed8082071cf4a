"""Print the folder of /usr/local in which this Python searches for packages."""

import site
import sysconfig

# Debian's has another name; sysconfig knows it from Python 3.10 on.
local = [folder for folder in site.getsitepackages() if folder.startswith("/usr/local/")]
other = sysconfig.get_path("purelib", "posix_prefix", {"base": "/usr/local"})
print(local[0] if local else other)  # noqa: T201
