"""Select the subcommand.  Each imports only its own modules; `run` imports very little."""

import sys


def main() -> int:
    """Run the command line; the exit status."""
    arguments = sys.argv[1:]
    try:
        return _command(arguments)
    except (ImportError, SyntaxError) as broken:
        return _not_whole(broken, arguments)


def _command(arguments: list[str]) -> int:
    if arguments[:1] == ["run"]:
        from pykeyinit_helper.run import run

        return run.main(arguments[1:])
    if sys.flags.no_site and "site" not in sys.modules:
        import site

        site.main()  # the others use packages of Debian or of the venv
    from pykeyinit_helper.cli import commands

    return commands.main(arguments)


def _not_whole(broken: Exception, arguments: list[str]) -> int:
    """Report a broken package.  This imports none of its modules, as any may be broken."""
    import posix
    import stat
    import syslog

    text = " ".join(f"{broken}".split())
    again = "install it anew, by its package or ./setup install"
    line = f"its own files are missing or damaged: {text}: {again}"
    try:
        if stat.S_ISSOCK(posix.fstat(2).st_mode):  # as saying.py
            syslog.openlog("pykeyinit-helper", syslog.LOG_PID, syslog.LOG_DAEMON)
            syslog.syslog(syslog.LOG_ERR, line)
        else:
            posix.write(2, f"pykeyinit-helper: {line}\n".encode("utf-8", "backslashreplace"))
    except OSError:
        pass  # there is none to write to
    return 2 if arguments[:1] in (["check"], ["enable"], ["disable"]) else 125
