"""unguided.py TARGET SECONDS CORPUS: a Python target without atheris.

Hypothesis generates inputs from the corpus and the target's words.  It does not see their
coverage, so it finds less; it is for machines that cannot run atheris.
"""

import importlib
import sys
import time
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

_BATCH = 100  # examples between two checks of the time


def _inputs(seeds: list[bytes], words: list[bytes]) -> st.SearchStrategy[bytes]:
    """A seed with some of its parts replaced, or any bytes."""
    piece = st.one_of(st.sampled_from(words), st.binary(max_size=6))
    edits = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 8), piece), max_size=5)

    def edited(seed: bytes, changes: list[tuple[float, int, bytes]]) -> bytes:
        for where, length, new in changes:
            at = int(where * len(seed))
            seed = seed[:at] + new + seed[at + length :]
        return seed

    made = st.builds(edited, st.sampled_from(seeds), edits)
    return st.one_of(made, made, made, st.lists(piece).map(b"".join))


def main() -> None:
    """Print the number of inputs; an exception of a check ends it."""
    name, seconds, corpus = sys.argv[1], float(sys.argv[2]), Path(sys.argv[3])
    target = importlib.import_module(f"fuzz.targets.{name}")
    seeds = [path.read_bytes() for path in sorted(corpus.iterdir())] or [b""]
    count = 0

    @settings(
        max_examples=_BATCH, deadline=None, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(_inputs(seeds, [word.encode() for word in target.WORDS]))
    def batch(data: bytes) -> None:
        nonlocal count
        count += 1
        target.check(data)

    end = time.monotonic() + seconds
    for seed in seeds:
        count += 1
        target.check(seed)
    while time.monotonic() < end:
        batch()
    print(f"stat::number_of_executed_units: {count}")


if __name__ == "__main__":
    main()
