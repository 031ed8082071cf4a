"""Which subcommand it is.  Each imports what serves it; `run` imports next to nothing."""

import sys


def main() -> int:
    """Run the command line; the exit status."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["run"]:
        from pykeyinit_helper import run

        return run.main(arguments[1:])
    if sys.flags.no_site and "site" not in sys.modules:
        import site

        site.main()  # the others use packages of Debian's or of the venv
    try:
        from pykeyinit_helper import commands

        return commands.main(arguments)
    except (ImportError, SyntaxError) as broken:
        return _not_whole(broken, arguments)


def _not_whole(broken: Exception, arguments: list[str]) -> int:
    """What is imported from here may be what is broken: so nothing is."""
    text = " ".join(f"{broken}".split())
    sys.stderr.write(
        f"pykeyinit-helper: its own files are not whole: {text}: install it anew, by its "
        "package or ./setup install\n"
    )
    return 2 if arguments[:1] in (["check"], ["enable"], ["disable"]) else 125
