"""One boot of the fast path: qemu, and the records on its second serial line."""

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness import architectures, roots
from harness.architectures import ARCHITECTURES
from harness.roots import BUILD, HERE, Parts
from harness.suites import Suite

Record = dict[str, Any]

# Seconds of silence, besides a scenario's patience, after which a machine is stopped;
# it is emulated, on a busy host.
SILENCE = 150

BOOT = ("quiet", "rdinit=/init", "panic=-1", "random.trust_cpu=on")

ACCELERATION = {
    "kvm": ("-accel", "kvm", "-cpu", "host"),
    "tcg": ("-accel", "tcg,thread=multi", "-cpu", "max"),
}


def acceleration(kernel: Path) -> str:
    """The acceleration of qemu, which kvm.sh tries."""
    tried = [HERE / "kvm.sh", kernel]
    return subprocess.run(tried, capture_output=True, text=True, check=True).stdout.strip()


def patience(plan: Record) -> float:
    """Seconds of silence after which a machine that runs this plan is stopped."""
    reported = [plan["patience"], *(s.get("patience", 0) for s in plan["scenarios"])]
    return float(SILENCE + max(reported))


def serial_lines(results: Path, wire: Path) -> list[str]:
    """The console for the kernel, and all lines but the first; two are the ends of one wire."""
    return [
        "console=ttyS0", "-serial", f"file:{results}",
        "-chardev", f"socket,id=near,path={wire},server=on,wait=off",
        "-chardev", f"socket,id=far,path={wire}",
        "-serial", "chardev:near", "-serial", "chardev:far",
    ]  # fmt: skip


class Machine:
    """A machine that runs a plan and ends."""

    def __init__(
        self,
        suite: Suite,
        plan: Record,
        heard: Callable[[Record], None],
        fill: Callable[[Path], None] | None = None,
    ) -> None:
        """`heard` is called with each record as it comes, `fill` with /vm before the boot."""
        self._suite = suite
        self._plan = plan
        self._heard = heard
        self._fill = fill
        self._qemu: subprocess.Popen[bytes] | None = None
        self._stopped = False
        self.console = BUILD / f"console-{suite.name}.log"

    def run(self) -> list[Record]:
        """Make, boot, and collect until the machine ends; raises CannotMake."""
        parts = Parts(self._suite)
        parts.base()
        kernel = parts.kernel()
        with tempfile.TemporaryDirectory(dir=BUILD) as name:
            folder = Path(name)
            guest = folder / "guest"
            shutil.copytree(HERE / "guest", guest, ignore=shutil.ignore_patterns("__pycache__"))
            (guest / "plan.json").write_text(json.dumps(self._plan))
            if self._fill:
                self._fill(guest)
            archive = parts.initramfs(guest)
            return self._boot(kernel, archive, folder)

    def _boot(self, kernel: Path, archive: Path, folder: Path) -> list[Record]:
        results = folder / "results"
        results.touch()
        emulated = ARCHITECTURES.get(self._suite.architecture)
        if emulated:
            processor = architectures.processor(emulated)
            console, *channels = architectures.consoles(emulated, results)
        else:
            accelerated = ACCELERATION[acceleration(kernel)]
            processor = ["qemu-system-x86_64", *accelerated, "-m", "2048"]
            console, *channels = serial_lines(results, folder / "wire")
        command: list[str | Path] = [
            *processor, "-smp", "2",
            "-display", "none", "-nodefaults", "-no-user-config", "-net", "none",
            "-no-reboot", "-kernel", kernel, "-initrd", archive,
            "-append", " ".join((console, *BOOT, self._suite.boot)),
            "-serial", f"file:{self.console}", *channels,
        ]  # fmt: skip
        with (BUILD / f"qemu-{self._suite.name}.log").open("w") as log:
            # In a separate session: `stop` handles ctrl-C.
            self._qemu = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            try:
                if self._stopped:
                    return []
                return self._listen(self._qemu, results)
            finally:
                self._qemu.kill()
                self._qemu.wait()

    def stop(self) -> None:
        """Stop it from another thread; `run` returns the records so far."""
        self._stopped = True
        roots.stop()
        if self._qemu:
            self._qemu.kill()

    def _listen(self, qemu: "subprocess.Popen[bytes]", results: Path) -> list[Record]:
        records: list[Record] = []
        rest = b""
        last = time.monotonic()
        silence = patience(self._plan)
        with results.open("rb") as lines:
            while True:
                ended = qemu.poll() is not None
                rest += lines.read()
                *whole, rest = rest.split(b"\n")
                for line in whole:
                    records.append(json.loads(line))
                    self._heard(records[-1])
                    last = time.monotonic()
                if ended or time.monotonic() - last > silence:
                    return records
                time.sleep(0.3)
