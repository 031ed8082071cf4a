/*
 * cold session CONFDIR SERVICE USER    the first session of a process, pam_start to pam_end
 * cold bare LIBPYTHON                  the start of that Python, isolated, without site
 * cold window CONFDIR SERVICE USER N   N such processes, while USER sends them signals
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

/* Shared by the processes: what the user tries, whom to signal, and how long that lasted. */
struct tries {
	volatile long refused, allowed;
	volatile long long took;
	volatile pid_t target;
};

static pid_t start_user(const char *name, struct tries *tries)
{
	struct passwd *user = getpwnam(name);
	pid_t child = fork();

	if (child)
		return child;
	if (user == NULL || setgid(user->pw_gid) || setuid(user->pw_uid))
		_exit(1);
	for (;;) {
		pid_t target = tries->target;
		if (target && kill(target, 0) == 0)
			tries->allowed++;
		else if (target)
			tries->refused++;
	}
}

/* A session in a process of its own; its user may try while it lasts. */
static void tried_session(char **argv, struct tries *tries)
{
	pid_t child = fork();

	if (child == 0) {
		tries->target = getpid();
		long long begin = now();
		session(argv);
		tries->took += now() - begin;
		tries->target = 0;
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

/* The share of the user's tries of signal 0 that the kernel allows, times a session's time. */
static void window(char **argv)
{
	struct tries *tries = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int rounds = atoi(argv[5]);
	pid_t child = start_user(argv[4], tries);

	while (tries->refused == 0) /* it runs */
		tried_session(argv, tries);
	tries->refused = tries->allowed = tries->took = 0;
	for (int i = 0; i < rounds; i++)
		tried_session(argv, tries);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	double share = (double)tries->allowed / (tries->allowed + tries->refused);
	printf("%.0f %ld\n", share * tries->took / rounds, tries->allowed);
}

int main(int argc, char **argv)
{
	if (argc == 6) {
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
