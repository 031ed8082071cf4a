"""The influence of the host on a measurement: its load, and how it runs machines."""

import os
from pathlib import Path
from typing import Any

from harness.machine import acceleration

Record = dict[str, Any]


class Watch:
    """Record the load while a machine measures latency, and add it to the result."""

    def __init__(self, kernel: Path) -> None:
        """The machine's kernel shows whether it is emulated."""
        self._kernel = kernel
        self._loads: list[float] = []

    def heard(self, record: Record) -> None:
        """Called with each record as it comes; adds a field `host` to the latency."""
        if record["kind"] == "round":
            self._loads.append(round(os.getloadavg()[0], 1))
        elif record["kind"] == "latency" and self._loads:
            emulated = acceleration(self._kernel) == "tcg"
            load = [min(self._loads), max(self._loads)]
            record["host"] = {"emulated": emulated, "load": load, "cpus": os.cpu_count()}
