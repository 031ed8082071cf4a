/*
 * many CONFDIR SERVICE THREADS CYCLES USER...: concurrent sessions of many threads.
 *
 * Each thread opens and closes CYCLES sessions, of the users in turn, and checks after each
 * open that its session keyring is new and its user's.  Meanwhile one thread checks that the ids
 * of every other thread that is not inside libpam are unchanged.  Prints the duration in
 * microseconds a cycle; any error ends it with a line.
 */
#include "pamdrive.h"

#include <errno.h>
#include <pthread.h>
#include <pwd.h>
#include <security/pam_appl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *confdir, *service;
static char **users;
static int user_count, cycles;
static uid_t uids[16];
static atomic_int done;
static atomic_long samples;

static void check(int code, const char *what, const char *user)
{
	if (code == PAM_SUCCESS)
		return;
	fprintf(stderr, "many: %s for %s: %d\n", what, user, code);
	exit(1);
}

/* The thread's session keyring, which must be `user`'s. */
static long session_of(int user)
{
	char text[512];
	unsigned owner;
	long serial = keyctl(GET_KEYRING_ID, SESSION_KEYRING, 0);

	if (serial < 0 || keyctl(DESCRIBE, serial, text, sizeof text) < 0 ||
	    sscanf(text, "keyring;%u;", &owner) != 1)
		fail("session keyring");
	if (owner != uids[user]) {
		fprintf(stderr, "many: the session keyring is %s, not %s's\n", text, users[user]);
		exit(1);
	}
	return serial;
}

static void *sessions(void *number)
{
	int look = getenv("LOOK") != NULL;
	long last = 0;

	for (int i = 0; i < cycles; i++) {
		int user = ((long)number + i) % user_count;
		pam_handle_t *handle = NULL;
		uid_t real, effective, saved;

		check(pam_start_confdir(service, users[user], &mute, confdir, &handle),
		      "start", users[user]);
		check(pam_open_session(handle, 0), "open", users[user]);
		if (look) {
			long now = session_of(user);
			if (now == last)
				fail("the keyring is not a new one");
			last = now;
			if (getresuid(&real, &effective, &saved) || real || effective || saved)
				fail("this thread's ids are changed");
		}
		check(pam_close_session(handle, 0), "close", users[user]);
		if (look && (keyctl(GET_KEYRING_ID, SESSION_KEYRING, 0) >= 0 || errno != EKEYREVOKED))
			fail("not revoked");
		check(pam_end(handle, PAM_SUCCESS), "end", users[user]);
	}
	return NULL;
}

/* Never inside libpam, so nothing may change these ids. */
static void *watch(void *unused)
{
	uid_t u[3];
	gid_t g[3];

	(void)unused;
	while (!done) {
		if (getresuid(&u[0], &u[1], &u[2]) || u[0] || u[1] || u[2] ||
		    getresgid(&g[0], &g[1], &g[2]) || g[0] || g[1] || g[2])
			fail("the watcher's ids are changed");
		if (keyctl(GET_KEYRING_ID, SESSION_KEYRING, 0) == -1 && errno == EKEYREVOKED)
			fail("the watcher has lost its session keyring");
		samples++;
		nanosleep(&(struct timespec){0, 20 * 1000}, NULL);
	}
	return NULL;
}

static long memory(void)
{
	long pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	if (file == NULL || fscanf(file, "%*d %ld", &pages) != 1)
		fail("statm");
	fclose(file);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

int main(int argc, char **argv)
{
	pthread_t threads[64], watcher;
	struct timespec from, to;

	if (argc < 6) {
		fprintf(stderr, "usage: many CONFDIR SERVICE THREADS CYCLES USER...\n");
		return 2;
	}
	confdir = argv[1], service = argv[2], cycles = 1;
	int count = atoi(argv[3]);
	users = argv + 5, user_count = argc - 5;
	for (int i = 0; i < user_count; i++)
		uids[i] = getpwnam(users[i])->pw_uid;
	int wanted = atoi(argv[4]);
	/* THREADS 0: no thread at all, and no watcher.  WARM: the first sessions do not count. */
	long cold = memory();
	if (count && getenv("LOOK") && pthread_create(&watcher, NULL, watch, NULL))
		fail("thread");
	if (count == 0 || getenv("WARM")) {
		sessions(NULL);
		cycles = 20, sessions(NULL);
	}
	cycles = wanted;
	long before = memory();
	clock_gettime(CLOCK_MONOTONIC, &from);
	if (count == 0)
		sessions(NULL);
	for (long i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, sessions, (void *)i))
			fail("thread");
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	clock_gettime(CLOCK_MONOTONIC, &to);
	done = 1;
	if (count && getenv("LOOK"))
		pthread_join(watcher, NULL);
	double took = (to.tv_sec - from.tv_sec) * 1e6 + (to.tv_nsec - from.tv_nsec) / 1e3;
	printf("%.2f us/cycle samples %ld kB %ld %ld %ld\n", took / (wanted * (count ? count : 1)),
	       (long)samples, cold, before, memory());
	return 0;
}
