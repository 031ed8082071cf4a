"""freeze.py OUTPUT SOURCE...: our modules as code, in a C header, for frozen.c.

Run it by the Python that the loader gets, with `-X no_debug_ranges`: columns of tracebacks
are a third of the code.  Docstrings and assertions are left out (optimisation 2).
"""

import marshal
import sys
from pathlib import Path


def array(name: str, code: bytes) -> str:
    """The definition of an array of bytes."""
    rows = (code[start : start + 24] for start in range(0, len(code), 24))
    lines = "\n".join("\t" + ",".join(map(str, row)) + "," for row in rows)
    return f"static const unsigned char {name}[] = {{\n{lines}\n}};\n"


def header(sources: list[Path]) -> str:
    """The text of the header: an array for each source, and a table of them."""
    codes = {
        source.stem: marshal.dumps(
            compile(source.read_bytes(), f"<pam_pykeyinit/{source.name}>", "exec", optimize=2)
        )
        for source in sources
    }
    table = "".join(f'\t{{"{name}", code_of_{name}, sizeof code_of_{name}}},\n' for name in codes)
    return (
        "/* Made by freeze.py. */\n"
        f"#if PY_VERSION_HEX >> 16 != {sys.hexversion >> 16:#x}\n"
        '#error "another version of Python has frozen this: it is not code to the one that is here"\n'
        "#endif\n"
        + "".join(array(f"code_of_{name}", code) for name, code in codes.items())
        + f"static const struct frozen_module modules[] = {{\n{table}}};\n"
    )


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(header(sorted(map(Path, sys.argv[2:]))))
