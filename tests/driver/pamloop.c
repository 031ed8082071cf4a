/*
 * pamloop CONFDIR SERVICE USER once     one session, start to end
 * pamloop CONFDIR SERVICE USER loop     for each number on standard input, that many sessions in
 *                                       this process; prints the nanoseconds of one, and the
 *                                       nanoseconds of processor time
 * pamloop CONFDIR SERVICE USER process  the same, each session in a new process ("once")
 */
#include "pamdrive.h"

#include <security/pam_appl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static int session(char **argv)
{
	pam_handle_t *handle;
	int code = pam_start_confdir(argv[2], argv[3], &mute, argv[1], &handle);

	if (code == PAM_SUCCESS)
		code = pam_open_session(handle, 0);
	if (code == PAM_SUCCESS)
		code = pam_close_session(handle, 0);
	if (code == PAM_SUCCESS)
		code = pam_end(handle, code);
	return code;
}

static long long nanoseconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static long long worked(int who)
{
	struct rusage usage;

	if (who == RUSAGE_SELF)
		return nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
	getrusage(who, &usage);
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000LL +
	       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000LL;
}

static int process(char **argv)
{
	char *child[] = {argv[0], argv[1], argv[2], argv[3], "once", NULL};
	pid_t pid;
	int status;

	if (posix_spawn(&pid, "/proc/self/exe", NULL, NULL, child, environ) ||
	    waitpid(pid, &status, 0) < 0)
		return -1;
	return status;
}

int main(int argc, char **argv)
{
	char line[8];
	int who;

	if (argc != 5) {
		fprintf(stderr, "usage: pamloop CONFDIR SERVICE USER once|loop|process\n");
		return 2;
	}
	if (!strcmp(argv[4], "once"))
		return session(argv);
	who = strcmp(argv[4], "loop") ? RUSAGE_CHILDREN : RUSAGE_SELF;
	while (fgets(line, sizeof line, stdin)) {
		long long start = nanoseconds(CLOCK_MONOTONIC), work = worked(who);
		int count = atoi(line), code = 0;

		for (int i = 0; i < count && code == 0; i++)
			code = who == RUSAGE_SELF ? session(argv) : process(argv);
		work = (worked(who) - work) / count;
		start = (nanoseconds(CLOCK_MONOTONIC) - start) / count;
		if (code) {
			fprintf(stderr, "pamloop: %s: %d\n", argv[2], code);
			return 1;
		}
		printf("%lld %lld\n", start, work);
		fflush(stdout);
	}
	return 0;
}
