"""The full way: a machine with systemd, by Vagrant, from box to destroy."""

import datetime
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness import libvirt, plan, records, roots
from harness.suites import SUITES

Record = dict[str, Any]
HERE = roots.HERE
KEY = "/usr/share/vagrant/keys/vagrant.pub"

# What it has more than a machine of the fast path.
PACKAGES = (
    "linux-image-cloud-amd64", "initramfs-tools", "systemd", "systemd-sysv", "dbus", "udev",
    "libpam-systemd", "dbus-user-session", "systemd-container", "rsync", "kmod",
)  # fmt: skip
PREFIXES = ("vagrant_", "pykeyinit-")  # of the volumes that vagrant-libvirt leaves


class Vagrant:
    """Vagrant's machine of one suite."""

    def __init__(self, name: str, *, own_home: bool) -> None:
        """With `own_home`, boxes are kept in build/vm and not in the user's."""
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
            self._environment["VAGRANT_HOME"] = str(roots.BUILD / "vagrant-home")

    def make_box(self) -> None:
        """The box, its kernel and what is to be installed; raises CannotMake."""
        parts = roots.Parts(self._suite, PACKAGES)
        say("making the root file system")
        parts.base()
        say("building the project in it")
        install = parts.stage()
        say("making the box")
        box = parts.box(find_key())
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in ("vmlinuz", "initrd"):
            shutil.copyfile(box / name, self.folder / name)
        subprocess.run(["rm", "-rf", self.folder / "install"], check=True)
        shutil.copytree(install, self.folder / "install", symlinks=True)
        words = ["box", "add", "--force", "--name", f"pykeyinit/{self._suite.name}"]
        self.vagrant(*words, str(box / "pykeyinit.box"))

    def vagrant(self, *words: str) -> None:
        """Run vagrant, in a session of its own: ctrl-C is for us to handle."""
        subprocess.run(
            ["vagrant", *words, "--no-tty"],
            cwd=HERE,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            check=True,
        )

    def ssh(self) -> list[str]:
        """The command line that gets into it."""
        shown = subprocess.run(
            ["vagrant", "ssh-config"],
            cwd=HERE, env=self._environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        file = self.folder / "ssh-config"
        file.write_text(shown.stdout)
        return ["ssh", "-F", str(file), "default"]

    def run(self, told: Record) -> Iterator[Record]:
        """The records of a plan that is run in it."""
        command = "cat >/tmp/plan.json && sudo /usr/bin/python3 -I /vm/runner.py /tmp/plan.json"
        with subprocess.Popen(
            [*self.ssh(), command],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
        ) as runner:  # fmt: skip
            assert runner.stdin  # noqa: S101
            assert runner.stdout  # noqa: S101
            runner.stdin.write(json.dumps(told))
            runner.stdin.close()
            try:
                for line in runner.stdout:
                    if line.startswith("{"):
                        yield json.loads(line)
            finally:
                runner.kill()

    def reboot(self) -> None:
        """Down and up again, from inside, and wait until it lets us in."""
        command = self.ssh()
        subprocess.run([*command, "sudo systemctl reboot"], check=False, timeout=60)
        time.sleep(10)
        for _ in range(60):
            tried = [*command, "-o", "ConnectTimeout=5", "true"]
            if subprocess.run(tried, capture_output=True, check=False).returncode == 0:
                return
            time.sleep(5)

    def destroy(self) -> None:
        """Nothing of it is left."""
        try:
            self.vagrant("destroy", "--force")
        except (subprocess.SubprocessError, OSError) as reason:
            say(f"vagrant destroy failed: {reason}")
        for prefix in PREFIXES:
            libvirt.tidy("pykeyinit", prefix)


def find_key() -> Path:
    """The public half of the key that Vagrant brings for new boxes."""
    listed = subprocess.run(["dpkg", "-L", "vagrant"], capture_output=True, text=True, check=False)
    for line in [KEY, *listed.stdout.splitlines()]:
        if line.endswith("/vagrant.pub") and Path(line).exists():
            return Path(line)
    raise roots.CannotMake("the package vagrant has no keys/vagrant.pub")


def scenarios_of(
    names: list[str], *, quick: bool
) -> tuple[list[plan.Scenario], list[plan.Scenario]]:
    """Those before the reboot, and those after it."""
    every = plan.load()
    before = plan.chosen(every, "vagrant", names, quick=quick)
    return before, plan.chosen(every, "reboot", names, quick=quick)


def run(name: str, names: list[str], latency: int, *, quick: bool) -> list[records.Kept]:
    """Box, up, scenarios, reboot, scenarios, destroy; what came of both."""
    machine = Vagrant(name, own_home=True)
    before, after = scenarios_of(names, quick=quick)
    common = {"loaders": list(SUITES[name].loaders), "patience": 120}
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    label = f"{name} (Vagrant)"
    first = records.Kept(label, date, {**common, "scenarios": before, "latency": latency}, [])
    second = records.Kept(label, date, {**common, "scenarios": after, "latency": 0}, [])
    ended = ""
    machine.folder.mkdir(parents=True, exist_ok=True)
    try:
        machine.make_box()
        with libvirt.running(machine.folder):
            try:
                machine.vagrant("up")
                collect(machine, first)
                if not names:
                    records.save(f"vagrant-{name}", first)
                records.save_latency(f"vagrant-{name}", first)
                if after:
                    say("reboot")
                    machine.reboot()
                    collect(machine, second)
            finally:
                machine.destroy()
    except (roots.CannotMake, libvirt.CannotStart, subprocess.CalledProcessError) as reason:
        ended = str(reason)
        say(ended)
    kept = [one._replace(ended=ended) for one in (first, second) if one.plan["scenarios"]]
    for one, step in zip(kept, ("", "-reboot"), strict=False):
        if not names:
            records.save(f"vagrant-{name}{step}", one)
    return kept


def collect(machine: Vagrant, run: records.Kept) -> None:
    """Run the plan; each record is told, and kept, as it comes."""
    for record in machine.run(run.plan):
        run.records.append(record)
        if record["kind"] == "result":
            why = record.get("not_run") or f"{record['logins']} in, {record['seconds']} s"
            say(f"{record['loader']}: {record['scenario']}: {why}")


def say(text: str) -> None:
    """A line of progress."""
    print(f"vagrant: {text}", file=sys.stderr, flush=True)
