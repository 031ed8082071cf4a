/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What harness.c looks at: the process, and the log. */
#include <signal.h>
#include <sys/types.h>

/* What a run was given; broken() shows it. */
extern struct input {
	const char *calls, *user, *origin, *words;
} input;

/* What a call must leave as it is. */
struct process {
	uid_t uids[3];
	gid_t gids[3];
	mode_t mask;
	sigset_t blocked;
	char where[4096];
};

void broken(const char *what, const char *detail); /* the end: libFuzzer keeps the input */
void must(int held, const char *what);
struct process look(void);
int descriptors(void);
void listen_to_log(void);
void take_connection(void); /* once openlog(3) has made it */
int lines(void);
