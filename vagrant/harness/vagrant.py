"""A machine with systemd, by Vagrant: box, up, plans, reboot, destroy."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness import libvirt, roots
from harness.machine import patience
from harness.suites import SUITES

Record = dict[str, Any]
HERE = roots.HERE
KEY = "/usr/share/vagrant/keys/vagrant.pub"

# The packages that it has in addition to a machine of the fast path.
PACKAGES = (
    "linux-image-cloud-amd64", "initramfs-tools", "systemd", "systemd-sysv", "dbus", "udev",
    "libpam-systemd", "dbus-user-session", "systemd-container", "rsync", "kmod",
    "lightdm", "lightdm-autologin-greeter", "xvfb", "strace",
    "python3-keyutils", "python3-pamela", "python3-pampy",
)  # fmt: skip


class Vagrant:
    """Vagrant's machine of one suite."""

    def __init__(self, name: str, *, own_home: bool) -> None:
        """With `own_home`, boxes are kept in build/vm, separate for each suite."""
        self._suite = SUITES[name]
        self.folder = roots.BUILD / f"vagrant-{name}"
        self._environment = {
            **os.environ,
            "VM_SUITE": name,
            "VAGRANT_DEFAULT_PROVIDER": "libvirt",
            "VAGRANT_DOTFILE_PATH": str(self.folder / "state"),
            "VAGRANT_CHECKPOINT_DISABLE": "1",
        }
        if own_home:
            self._environment["VAGRANT_HOME"] = str(self.folder / "home")

    def make_box(self) -> None:
        """The box, its kernel and the files to install; raises CannotMake."""
        parts = roots.Parts(self._suite, PACKAGES)
        say("making the root file system")
        parts.base()
        say("building the Debian package")
        install = parts.package()
        say("making the box")
        box = parts.box(find_key())
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in ("vmlinuz", "initrd"):
            shutil.copyfile(box / name, self.folder / name)
        subprocess.run(["rm", "-rf", self.folder / "install"], check=True)
        shutil.copytree(install, self.folder / "install", symlinks=True)
        words = ["box", "add", "--force", "--name", f"pykeyinit/{self._suite.name}"]
        self.vagrant(*words, str(box / "pykeyinit.box"))
        (self.folder / "ssh-config").unlink(missing_ok=True)

    def vagrant(self, *words: str) -> None:
        """Run vagrant, in a separate session: we handle ctrl-C."""
        subprocess.run(
            ["vagrant", *words, "--no-tty"],
            cwd=HERE,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            check=True,
        )

    def ssh(self) -> list[str]:
        """The command line that logs in to it."""
        file = self.folder / "ssh-config"
        if not file.exists():
            shown = subprocess.run(
                ["vagrant", "ssh-config"],
                cwd=HERE, env=self._environment, capture_output=True, text=True, check=True,
            )  # fmt: skip
            file.write_text(shown.stdout)
        return ["ssh", "-F", str(file), "default"]

    def run(self, reported: Record) -> Iterator[Record]:
        """The records of a plan that runs in it."""
        # As a service of root: not in the caller's session, nor with the caller's keyring.
        command = (
            "cat >/tmp/plan.json && sudo systemd-run --quiet --wait --pipe --collect"
            " -p KeyringMode=inherit /usr/bin/python3 -I /vm/runner.py /tmp/plan.json"
        )
        with subprocess.Popen(
            [*self.ssh(), command],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
        ) as runner:  # fmt: skip
            assert runner.stdin  # noqa: S101
            runner.stdin.write(json.dumps(reported))
            runner.stdin.close()
            try:
                for line in lines(runner, patience(reported)):
                    if line.startswith("{"):
                        yield json.loads(line)
            finally:
                runner.kill()

    def reboot(self) -> None:
        """Reboot it from inside, and wait for a login; raises CannotMake."""
        before = self._boot()
        # The connection does not always end with the machine.
        self._try("sudo systemd-run --quiet --on-active=1 systemctl reboot")
        for _ in range(60):
            time.sleep(5)
            if self._boot() not in ("", before):
                return
        raise roots.CannotMake("the machine did not come back from its reboot")

    def _boot(self) -> str:
        """The boot id of the machine; nothing if no login succeeds."""
        return self._try("cat /proc/sys/kernel/random/boot_id")

    def _try(self, command: str) -> str:
        """The output of a command in it, if it is reachable."""
        words = [*self.ssh(), "-o", "ConnectTimeout=20", command]
        try:
            done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
        except subprocess.TimeoutExpired:
            return ""
        return done.stdout.strip() if done.returncode == 0 else ""

    def make_way(self) -> None:
        """Before it is made; raises CannotStart if a machine of its name runs already."""
        libvirt.forget(f"pykeyinit-{self._suite.name}_default")

    def destroy(self) -> None:
        """Remove all of it."""
        try:
            self.vagrant("destroy", "--force")
        except (subprocess.SubprocessError, OSError) as reason:
            say(f"vagrant destroy failed: {reason}")
        name = self._suite.name
        libvirt.tidy(f"pykeyinit-{name}", f"pykeyinit-{name}_", f"pykeyinit-VAGRANTSLASH-{name}_")


def lines(program: "subprocess.Popen[str]", silence: float) -> Iterator[str]:
    """Its output, until it ends; it is killed after `silence` seconds without output."""
    assert program.stdout  # noqa: S101
    while True:
        alarm = threading.Timer(silence, program.kill)
        alarm.start()
        line = program.stdout.readline()
        alarm.cancel()
        if not line:
            return
        yield line


def find_key() -> Path:
    """The public half of the key that Vagrant has for new boxes."""
    listed = subprocess.run(["dpkg", "-L", "vagrant"], capture_output=True, text=True, check=False)
    for line in [KEY, *listed.stdout.splitlines()]:
        if line.endswith("/vagrant.pub") and Path(line).exists():
            return Path(line)
    raise roots.CannotMake("the package vagrant has no keys/vagrant.pub")


def say(text: str) -> None:
    """A line of progress."""
    print(f"vagrant: {text}", file=sys.stderr, flush=True)
