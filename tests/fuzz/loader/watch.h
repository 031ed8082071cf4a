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

/* A call of PAM by its letter; where else than here it can be made.  The code. */
typedef int call_of(void *handle, char name);
int in_thread(call_of *call, void *handle, char name);
int in_child(call_of *call, void *handle, char name);

/* From now on, of the module's calls of libpam and the kernel, the so manieth is refused, with
   an errno that the number stands for; 0 is none, and begins anew.  Whether that has been,
   or may have been in a child. */
void refuse(int calls_on, int number);
int refused(void);
void refused_in_child(void);
