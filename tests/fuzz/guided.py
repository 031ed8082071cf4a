"""guided.py TARGET [LIBFUZZER ARGUMENT...]: a Python target under atheris.

The modules of our packages that the target imports are instrumented, the target itself is not.
"""

import importlib
import os
import sys

import atheris


def main() -> None:
    """Does not return: libFuzzer ends the process, with 77 if it has found something."""
    name = sys.argv.pop(1)
    sys.argv[0] = os.environ["FUZZ_COMMAND"]  # libFuzzer starts it again to minimise a corpus
    with atheris.instrument_imports(include=["pam_pykeyinit", "pykeyinit_helper"]):
        target = importlib.import_module(f"fuzz.targets.{name}")
    atheris.Setup(sys.argv, target.check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
