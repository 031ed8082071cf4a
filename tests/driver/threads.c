/* Threads that run one command each, in turn: never two at a time, so that an observation is
   the effect of one of them. */
#include "pamdrive.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

static struct worker { sem_t told, done; int is_there; } workers[10];
static struct { command *run; const char *confdir; char **words; } task;

static void *work(void *argument)
{
	struct worker *self = argument;

	for (;;) {
		sem_wait(&self->told);
		task.run(task.confdir, task.words);
		sem_post(&self->done);
	}
	return NULL;
}

void in_thread(int number, command *run, const char *confdir, char **words)
{
	struct worker *worker = &workers[number];
	pthread_t thread;

	task.run = run;
	task.confdir = confdir;
	task.words = words;
	if (!worker->is_there) { /* it has the credentials of this moment */
		if (sem_init(&worker->told, 0, 0) || sem_init(&worker->done, 0, 0) ||
		    pthread_create(&thread, NULL, work, worker))
			fail("thread");
		worker->is_there = 1;
	}
	sem_post(&worker->told);
	while (sem_wait(&worker->done))
		;
}
