/*
 * The interpreter in the first line of pykeyinit-helper: it executes Python in its own place,
 * with one more option that has what Python destroys at its start: whether SIGPIPE and SIGXFSZ
 * are ignored.  Python ignores both, and keeps no record of what was there; `run` gives the
 * program what its caller had.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#define HELPER_FAILED 125

static int is_ignored(int number)
{
    struct sigaction found;

    return sigaction(number, NULL, &found) == 0 && found.sa_handler == SIG_IGN;
}

/* As saying.py: no client of a network service reads it. */
static int fail(const char *what)
{
    struct stat standard_error;

    if (fstat(STDERR_FILENO, &standard_error) == 0 && S_ISSOCK(standard_error.st_mode))
        syslog(LOG_DAEMON | LOG_ERR, "%s: %s", what, strerror(errno));
    else
        dprintf(STDERR_FILENO, "pykeyinit-helper: %s: %s\n", what, strerror(errno));
    return HELPER_FAILED;
}

int main(int argc, char **argv)
{
    char option[32];
    char **words = calloc((size_t)argc + 3, sizeof *words);

    if (words == NULL)
        return fail("no memory");
    snprintf(option, sizeof option, "-Xignored=%s%s", is_ignored(SIGPIPE) ? "SIGPIPE," : "",
             is_ignored(SIGXFSZ) ? "SIGXFSZ" : "");
    words[0] = (char *)PYTHON;
    words[1] = option;
    for (int i = 1; i < argc; i++)
        words[i + 1] = argv[i];
    execv(PYTHON, words);
    return fail("cannot execute " PYTHON);
}
