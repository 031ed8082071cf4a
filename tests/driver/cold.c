/*
 * cold session CONFDIR SERVICE USER    the first session of a process, pam_start to pam_end
 * cold bare LIBPYTHON                  the start of that Python, isolated, without site
 * cold window CONFDIR USER N SERVICE...
 *                                      N such processes for each service, alternating, while USER
 *                                      sends them signals
 *
 * The first two print the duration in nanoseconds, and the added private memory in kB.  The last
 * prints, for each service, the nanoseconds of a session in which the user could send a signal.
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

/* The private pages of this process.  Not Private_Dirty, which on a tmpfs, as in the world of
   the tests, also counts unchanged pages of files. */
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

static void session(const char *folder, const char *service, const char *user)
{
	pam_handle_t *handle;

	if (pam_start_confdir(service, user, &mute, folder, &handle) ||
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

/* Shared by the processes: the durations of the sessions of each service, and the results of
   the user's signals meanwhile; and the process to signal, for which service. */
struct tries {
	struct {
		volatile long refused, allowed;
		volatile long long took;
	} of[8];
	volatile pid_t target;
	volatile int service;
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
			tries->of[tries->service].allowed++;
		else if (target)
			tries->of[tries->service].refused++;
	}
}

/* A session in a new process; its user may send signals meanwhile. */
static void tried_session(const char *folder, const char *service, const char *user, int number,
			  struct tries *tries)
{
	pid_t child = fork();

	if (child == 0) {
		tries->service = number;
		tries->target = getpid();
		long long begin = now();
		session(folder, service, user);
		tries->of[number].took += now() - begin;
		tries->target = 0;
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

/* The share of the user's tries of signal 0 that the kernel allows, times a session's time.
   The services alternate, so that none finds its code in the processor's caches. */
static void window(char **argv, int count)
{
	struct tries *tries = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int rounds = atoi(argv[4]);
	pid_t child = start_user(argv[3], tries);

	while (tries->of[0].refused == 0) /* it runs */
		tried_session(argv[2], argv[5], argv[3], 0, tries);
	memset((void *)tries->of, 0, sizeof tries->of);
	for (int i = 0; i < rounds * count; i++)
		tried_session(argv[2], argv[5 + i % count], argv[3], i % count, tries);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	for (int i = 0; i < count; i++) {
		double tried = tries->of[i].allowed + tries->of[i].refused;
		printf("%.0f\n", tries->of[i].allowed / tried * tries->of[i].took / rounds);
	}
}

int main(int argc, char **argv)
{
	if (argc > 5 && argc <= 5 + 8) {
		window(argv, argc - 5);
		return 0;
	}
	if (argc < 3)
		return 2;
	long before = own_memory();
	long long begin = now();
	if (argc == 5)
		session(argv[2], argv[3], argv[4]);
	else
		bare(argv);
	begin = now() - begin;
	printf("%lld %ld\n", begin, own_memory() - before);
	return 0;
}
