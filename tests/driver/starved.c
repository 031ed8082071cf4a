/*
 * starved CONFDIR SERVICE USER LOG: sessions in processes that lack resources.
 *
 * Each line of standard input is a case: these words set the limits of a new process before it
 * opens a session, with a session keyring that has a key "planted":
 *
 *   as N, data N     RLIMIT_AS, RLIMIT_DATA: this many bytes more than in use
 *   nofile N         this many descriptors are free
 *   fd N KIND        descriptor N is directory, closed, path, pipe, full or socket
 *   warm             it already had a session
 *   thread           the session is opened in a new thread
 *   fill             all memory of the limit is in use
 *
 * For each it prints: how the process ended ("0", or a signal), the codes of open and close,
 * whether the planted key is "found" in the session, the owner of its session keyring, the number
 * of bytes written to descriptors 1 and 2, the number of our lines in the log, and the last line.
 */
#include "pamdrive.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#define PATIENCE 20 /* seconds; then SIGALRM ends it */

static char **arguments;
static struct { int opened, closed, found; unsigned owner; } *result; /* of the child */

static void plant(void)
{
	if (keyctl(JOIN_SESSION_KEYRING, NULL) < 0 ||
	    syscall(SYS_add_key, "user", "planted", "x", 1, SESSION_KEYRING) < 0)
		fail("plant");
}

static void session(void)
{
	pam_handle_t *handle = NULL;
	char text[512];

	memset(result, -1, sizeof *result);
	plant();
	result->opened = pam_start_confdir(arguments[2], arguments[3], &mute, arguments[1], &handle);
	if (result->opened)
		return;
	result->opened = pam_open_session(handle, 0);
	result->found = keyctl(SEARCH, SESSION_KEYRING, "user", "planted", 0) > 0;
	if (keyctl(DESCRIBE, SESSION_KEYRING, text, sizeof text) < 0 ||
	    sscanf(text, "keyring;%u;", &result->owner) != 1)
		result->owner = -1;
	result->closed = pam_close_session(handle, 0);
	pam_end(handle, 0);
}

static void fill(void)
{
	for (size_t size = 1 << 20; size >= 16; size /= 2)
		while (malloc(size))
			;
}

static void *last_session(void *filled)
{
	if (filled)
		fill();
	session();
	return NULL;
}

/* The second number of a line of /proc/self/status, in bytes. */
static long has(const char *name)
{
	char line[256];
	long kilobytes = -1;
	FILE *status = fopen("/proc/self/status", "re");

	while (status && fgets(line, sizeof line, status))
		if (!strncmp(line, name, strlen(name)))
			kilobytes = atol(line + strlen(name) + 1);
	if (status == NULL || kilobytes < 0)
		fail(name);
	fclose(status);
	return kilobytes * 1024;
}

static void limit(int what, unsigned long most)
{
	if (setrlimit(what, &(struct rlimit){most, most}))
		fail("setrlimit");
}

static void leave_descriptors(int free)
{
	int last = dup(0);

	while (last >= 0 && last < 30) /* no gap below */
		last = dup(0);
	limit(RLIMIT_NOFILE, last + 1 + free);
}

static void replace(int descriptor, const char *kind)
{
	int pair[2], other = -1;

	if (!strcmp(kind, "directory")) {
		other = open("/", O_RDONLY | O_DIRECTORY);
	} else if (!strcmp(kind, "path")) {
		other = open("/", O_PATH);
	} else if (!strcmp(kind, "full")) {
		other = open("/dev/full", O_RDWR);
	} else if (!strcmp(kind, "socket")) {
		other = socket(AF_UNIX, SOCK_DGRAM, 0);
	} else if (!strcmp(kind, "pipe")) { /* without a reader */
		if (pipe(pair))
			fail("pipe");
		close(pair[0]);
		other = pair[1];
	} else {
		close(descriptor);
		return;
	}
	if (other < 0 || dup2(other, descriptor) < 0)
		fail(kind);
	if (other > 2)
		close(other);
}

static void child(char *words)
{
	void *filled = NULL;
	int threaded = 0;
	pthread_t thread;

	alarm(PATIENCE);
	for (char *word = strtok(words, " "); word; word = strtok(NULL, " ")) {
		if (!strcmp(word, "warm"))
			session();
		else if (!strcmp(word, "thread"))
			threaded = 1;
		else if (!strcmp(word, "fill"))
			filled = words;
		else if (!strcmp(word, "as"))
			limit(RLIMIT_AS, has("VmSize:") + atol(strtok(NULL, " ")));
		else if (!strcmp(word, "data"))
			limit(RLIMIT_DATA, has("VmData:") + atol(strtok(NULL, " ")));
		else if (!strcmp(word, "nofile"))
			leave_descriptors(atoi(strtok(NULL, " ")));
		else if (!strcmp(word, "fd")) {
			int number = atoi(strtok(NULL, " "));
			replace(number, strtok(NULL, " "));
		} else {
			errno = EINVAL;
			fail(word);
		}
	}
	if (threaded && pthread_create(&thread, NULL, last_session, filled) == 0)
		pthread_join(thread, NULL);
	else
		last_session(filled);
	_exit(0);
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int log = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	unlink(path);
	if (log < 0 || bind(log, (struct sockaddr *)&address, sizeof address))
		fail(path);
	return log;
}

static void print_log(int log)
{
	char line[2048], last[2048] = "";
	int ours = 0;
	ssize_t size;

	while ((size = recv(log, line, sizeof line - 1, 0)) >= 0) {
		line[size] = 0;
		if (strstr(line, ": pam_pykeyinit(")) {
			ours++;
			snprintf(last, sizeof last, "%s", strstr(line, "): ") + 3);
		}
	}
	printf("%d %s\n", ours, last);
}

int main(int argc, char **argv)
{
	static char line[1000];
	int status;

	if (argc != 5)
		return 2;
	arguments = argv;
	result = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int log = listen_at(argv[4]);
	while (fgets(line, sizeof line, stdin)) {
		int written = memfd_create("written", 0);
		line[strcspn(line, "\n")] = 0;
		memset(result, -1, sizeof *result);
		fflush(stdout);
		pid_t pid = fork();
		if (pid == 0) {
			int nothing = open("/dev/null", O_RDONLY);
			dup2(nothing, 0);
			dup2(written, 1);
			dup2(written, 2);
			child(line);
		}
		waitpid(pid, &status, 0);
		printf("%d %d %d %s %d %ld ", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
		       result->opened, result->closed, result->found ? "found" : "gone",
		       (int)result->owner, (long)lseek(written, 0, SEEK_END));
		print_log(log);
		close(written);
	}
	return 0;
}
