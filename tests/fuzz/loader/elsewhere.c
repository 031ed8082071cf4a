/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A call in another thread, or in a forked child. */
#include "watch.h"

#include <errno.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_CODE 40 /* above it is libFuzzer's way to end */

struct errand {
	call_of *call;
	void *handle;
	char name;
	int code;
};

static void *do_errand(void *errand)
{
	struct errand *e = errand;

	e->code = e->call(e->handle, e->name);
	return NULL;
}

int in_thread(call_of *call, void *handle, char name)
{
	struct errand errand = {call, handle, name, 0};
	pthread_t thread;

	must(!(errno = pthread_create(&thread, NULL, do_errand, &errand)), "pthread_create");
	pthread_join(thread, NULL);
	return errand.code;
}

int in_child(call_of *call, void *handle, char name)
{
	int status;
	pid_t child = fork();

	must(child >= 0, "fork");
	if (child == 0)
		_exit(call(handle, name));
	while (waitpid(child, &status, 0) < 0) /* libFuzzer's alarm interrupts it */
		must(errno == EINTR, "waitpid");
	if (!WIFEXITED(status) || WEXITSTATUS(status) > MOST_CODE)
		broken("a forked child was ended", (char[]){name, 0});
	refused_in_child();
	return WEXITSTATUS(status);
}
