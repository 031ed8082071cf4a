"""freeze.py OUTPUT SOURCE...: compile our modules into a C header for frozen.c.

Run it by the Python that the loader gets.  Docstrings and assertions are left out
(optimisation 2), and so are the tables of lines and columns: the loader logs what an exception
says, and no traceback.
"""

import marshal
import sys
from pathlib import Path
from types import CodeType

# The imports of a login without options.
EVERY_LOGIN = (
    *("codes", "log", "module", "native", "options", "session", "syscalls", "sysnums"),
    "user",
)


def without_lines(code: CodeType) -> CodeType:
    """The same code, and the code of its functions, without line tables."""
    constants = tuple(
        without_lines(each) if isinstance(each, CodeType) else each for each in code.co_consts
    )
    table = "co_linetable" if hasattr(code, "co_linetable") else "co_lnotab"  # 3.9
    return code.replace(co_consts=constants, **{table: b""})  # type: ignore[arg-type]


def array(name: str, code: bytes) -> str:
    """The definition of an array of bytes."""
    rows = (code[start : start + 24] for start in range(0, len(code), 24))
    lines = "\n".join("\t" + ",".join(map(str, row)) + "," for row in rows)
    return f"static const unsigned char {name}[] = {{\n{lines}\n}};\n"


def frozen(source: Path) -> CodeType:
    """The code of a module."""
    code = compile(source.read_bytes(), f"<{source.stem}>", "exec", dont_inherit=True, optimize=2)
    return without_lines(code)


def header(sources: list[Path]) -> str:
    """The text of the header: the modules of every login in one array, and each other one."""
    codes = {source.stem: frozen(source) for source in sources}
    # Together they share their names, which saves a quarter of the time.
    together = marshal.dumps({name: codes.pop(name) for name in EVERY_LOGIN})
    table = "".join(f'\t{{"{name}", code_of_{name}, sizeof code_of_{name}}},\n' for name in codes)
    return (
        "/* Made by freeze.py. */\n"
        f"#if PY_VERSION_HEX >> 16 != {sys.hexversion >> 16:#x}\n"
        '#error "frozen by another version of Python than the one that is to run it"\n'
        "#endif\n"
        + array("every_login", together)
        + "".join(array(f"code_of_{name}", marshal.dumps(code)) for name, code in codes.items())
        + "static const struct frozen_module modules[] = {\n"
        + "".join(f'\t{{"{name}", NULL, 0}},\n' for name in EVERY_LOGIN)
        + f"{table}}};\n"
    )


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(header(sorted(map(Path, sys.argv[2:]))))
