"""Debian's sudo with its module for Python plugins, built here once: no package has that."""

import shutil
import subprocess
from pathlib import Path

from loader.setuid import sudo_files

from support import fetched, mounts, world
from support.drive import Driver
from support.fetched import made_by_one

_UNPACKED = fetched.CACHE / "sudo"
_PLUGINS = {"approval": "ApprovalPlugin", "io": "IOPlugin", "audit": "AuditPlugin"}
_AT = "/etc/plugin.py"
_PLUGIN = """
import sudo

class ApprovalPlugin(sudo.Plugin):
    def check(self, command_info, run_argv, run_env):
        return sudo.RC.ACCEPT

class IOPlugin(sudo.Plugin):
    def log_stdout(self, buf):
        return sudo.RC.ACCEPT

class AuditPlugin(sudo.Plugin):
    def accept(self, plugin_name, plugin_type, command_info, run_argv, run_envp):
        return sudo.RC.ACCEPT
"""


def built() -> Path:
    """The module's file; the calling test is skipped if the source is not available."""
    script = world.ROOT / "tests/loader/sudo-python.sh"
    library = fetched.debian("sudo", "sudo") / "usr/libexec/sudo/libsudo_util.so.0"
    with made_by_one(_UNPACKED):
        done = subprocess.run(
            [script, _UNPACKED, library], capture_output=True, text=True, check=False, timeout=580
        )
    if done.returncode:
        world.skip(f"no sudo with Python plugins: {done.stderr[-500:]}")
    return _UNPACKED / "python_plugin.so"


def command(driver: Driver, stack: str, plugins: tuple[str, ...]) -> list[str | Path]:
    """The command that starts it with this stack: append `sudo` and its arguments."""
    usr, etc = sudo_files(driver, stack)
    shutil.copy(built(), usr / "libexec/sudo")
    (etc / "plugin.py").write_text(_PLUGIN)
    (etc / "plugin.py").chmod(0o644)
    lines = [
        f"Plugin python_{name} python_plugin.so ModulePath={_AT} ClassName={_PLUGINS[name]}"
        for name in plugins
    ]
    (etc / "sudo.conf").write_text("\n".join(lines) + "\n")
    with (etc / "sudoers").open("a") as sudoers:
        sudoers.write("Defaults !fqdn\n")  # it would look for this machine's name
    as_alice = ["setpriv", "--reuid=alice", "--regid=alice", "--clear-groups"]
    start = mounts.wrapper(
        driver.scratch / "start", {"/etc": etc, "/usr/libexec": usr / "libexec"}, *as_alice
    )
    return [start, usr / "bin/sudo", "-n"]
