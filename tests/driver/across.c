/*
 * across HOW CONFDIR SERVICE USER: one session, opened and closed in different threads.
 *
 *   other    opened in one thread, closed in another while the first still runs
 *   ended    the same, after the first thread has ended
 *   forks    children that end the handle while other threads open and close sessions
 *
 * In the first two, a child of the opening thread keeps the session keyring, like the user's
 * shell.  Exit status 0: the keyring was the user's and is revoked now.
 */
#include "pamdrive.h"

#include <errno.h>
#include <pthread.h>
#include <security/pam_appl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static char **arguments;
static int told[2];
static pid_t shell;
static atomic_int done;
static pthread_barrier_t barrier;

static pam_handle_t *start(void)
{
	pam_handle_t *handle = NULL;

	if (pam_start_confdir(arguments[3], arguments[4], &mute, arguments[2], &handle))
		fail("start");
	return handle;
}

/* Holds the session keyring of this thread, and inspects it on request. */
static void keep_session(void)
{
	char word;

	alarm(20);
	if (read(told[0], &word, 1) != 1)
		_exit(2);
	_exit(keyctl(GET_KEYRING_ID, SESSION_KEYRING, 0) >= 0 ? 3 : errno == EKEYREVOKED ? 0 : 4);
}

static void *opener(void *handle)
{
	if (pam_open_session(handle, 0) || keyctl(GET_KEYRING_ID, SESSION_KEYRING, 0) < 0)
		fail("open");
	shell = fork();
	if (shell == 0)
		keep_session();
	pthread_barrier_wait(&barrier);
	while (!strcmp(arguments[1], "other") && !done)
		usleep(1000);
	return NULL;
}

static int across(void)
{
	pthread_t thread;
	pam_handle_t *handle = start();
	int status;

	if (pipe(told) || pthread_barrier_init(&barrier, NULL, 2) ||
	    pthread_create(&thread, NULL, opener, handle))
		fail("thread");
	pthread_barrier_wait(&barrier);
	if (!strcmp(arguments[1], "ended")) {
		pthread_join(thread, NULL);
		sleep(1); /* the kernel frees the thread's keyrings with a delay */
	}
	if (pam_close_session(handle, 0) || pam_end(handle, 0))
		fail("close");
	done = 1;
	if (write(told[1], "x", 1) != 1 || waitpid(shell, &status, 0) != shell)
		fail("shell");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 5;
}

static void *sessions(void *unused)
{
	while (!done) {
		pam_handle_t *handle = start();
		if (pam_open_session(handle, 0) || pam_close_session(handle, 0) || pam_end(handle, 0))
			fail("session");
	}
	return unused;
}

/* A lock that a thread held at the fork is held forever in the child. */
static int forks(void)
{
	pthread_t threads[4];
	pam_handle_t *handle = start();
	int status = 0;

	if (pam_open_session(handle, 0))
		fail("open");
	for (int i = 0; i < 4; i++)
		if (pthread_create(&threads[i], NULL, sessions, NULL))
			fail("thread");
	for (int i = 0; i < 200 && status == 0; i++) {
		pid_t child = fork();
		if (child == 0) {
			alarm(10);
			if (pam_setcred(handle, PAM_ESTABLISH_CRED) > PAM_SUCCESS)
				_exit(1);
			_exit(pam_end(handle, PAM_DATA_SILENT));
		}
		if (child < 0 || waitpid(child, &status, 0) != child)
			fail("fork");
	}
	done = 1;
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	if (status)
		fprintf(stderr, "across: a child: status %x\n", status);
	if (keyctl(GET_KEYRING_ID, SESSION_KEYRING, 0) < 0)
		fail("the children have revoked our session keyring");
	if (pam_close_session(handle, 0) || pam_end(handle, 0))
		fail("close");
	return status ? 1 : keyctl(GET_KEYRING_ID, SESSION_KEYRING, 0) < 0 && errno == EKEYREVOKED ? 0 : 6;
}

int main(int argc, char **argv)
{
	if (argc != 5)
		return 98;
	arguments = argv;
	return !strcmp(argv[1], "forks") ? forks() : across();
}
