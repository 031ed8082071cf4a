/*
 * cold session CONFDIR SERVICE USER    the first session of a process, pam_start to pam_end
 * cold bare LIBPYTHON                  the start of that Python, isolated, without site
 * cold window CONFDIR SERVICE USER N   N sessions, while a child that is USER sends signals
 *
 * The first two print nanoseconds, and the kB of private memory that it added.  The last
 * prints the nanoseconds of a session in which the user could send this process a signal.
 */
#include "pamdrive.h"

#include <Python.h>

#include <dlfcn.h>
#include <pwd.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

static long long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/* Pages that are this process's alone.  Not Private_Dirty: on a tmpfs, as in the world of the
   tests, a file's pages that nobody has changed are counted there. */
static long own_memory(void)
{
	char line[256];
	long kilobytes = -1;
	FILE *rollup = fopen("/proc/self/smaps_rollup", "re");

	while (rollup && fgets(line, sizeof line, rollup))
		sscanf(line, "Anonymous: %ld", &kilobytes);
	if (kilobytes < 0)
		fail("smaps_rollup");
	fclose(rollup);
	return kilobytes;
}

static void session(char **argv)
{
	pam_handle_t *handle;

	if (pam_start_confdir(argv[3], argv[4], &mute, argv[2], &handle) ||
	    pam_open_session(handle, 0) || pam_close_session(handle, 0) || pam_end(handle, 0))
		fail("session");
}

static void bare(char **argv)
{
	void *library = dlopen(argv[2], RTLD_NOW | RTLD_LOCAL);
	PyConfig config;

	if (library == NULL)
		fail(dlerror());
	((void (*)(PyConfig *))dlsym(library, "PyConfig_InitIsolatedConfig"))(&config);
	config.site_import = 0;
	PyStatus status = ((PyStatus(*)(const PyConfig *))dlsym(library, "Py_InitializeFromConfig"))(&config);
	if (status.err_msg)
		fail(status.err_msg);
}

/* The share of the user's tries of signal 0 that the kernel allows, times a session's time. */
static void window(char **argv)
{
	struct passwd *user = getpwnam(argv[4]);
	volatile long *counts = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int rounds = atoi(argv[5]);
	pid_t parent = getpid();

	session(argv); /* Python is there */
	pid_t child = fork();
	if (child == 0) {
		if (user == NULL || setgid(user->pw_gid) || setuid(user->pw_uid))
			_exit(1);
		for (;;) {
			counts[kill(parent, 0) == 0]++;
			counts[2] = 1;
		}
	}
	while (counts[2] == 0)
		;
	long tried = counts[0] + counts[1], could = counts[1];
	long long begin = now();
	for (int i = 0; i < rounds; i++)
		session(argv);
	double took = (double)(now() - begin) / rounds;
	tried = counts[0] + counts[1] - tried, could = counts[1] - could;
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	printf("%.0f %ld\n", tried ? took * could / tried : -1, tried);
}

int main(int argc, char **argv)
{
	if (argc == 6 && !strcmp(argv[1], "window")) {
		window(argv);
		return 0;
	}
	if (argc < 3)
		return 2;
	long before = own_memory();
	long long begin = now();
	if (argc == 5)
		session(argv);
	else
		bare(argv);
	begin = now() - begin;
	printf("%lld %ld\n", begin, own_memory() - before);
	return 0;
}
