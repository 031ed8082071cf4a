/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state that harness.c checks: the process, and the log. */
#include <signal.h>
#include <sys/types.h>

/* The input of a run; broken() shows it. */
extern struct input {
	const char *calls, *user, *origin, *words;
} input;

/* The state that a call must not change. */
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
void take_connection(void); /* after openlog(3) has made it */
int lines(void);

/* A call of PAM by its letter; the other places to make it.  Returns the code. */
typedef int call_of(void *handle, char name);
int in_thread(call_of *call, void *handle, char name);
int in_child(call_of *call, void *handle, char name);

/* From now on refuse one of the module's calls of libpam and the kernel, by its position, with
   an errno that the number selects; 0 is none, and starts again.  Returns whether this
   happened, or may have happened in a child. */
void refuse(int calls_on, int number);
int refused(void);
void refused_in_child(void);
