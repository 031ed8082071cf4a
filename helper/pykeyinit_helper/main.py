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
    from pykeyinit_helper import commands

    return commands.main(arguments)
