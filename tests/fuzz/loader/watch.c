/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "watch.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct input input;
static int log_socket, log_stream = -1;

void broken(const char *what, const char *detail)
{
	fprintf(stderr, "harness: %s: %s\n", what, detail);
	fprintf(stderr, "harness: calls '%s' user '%s' from '%s' words '%s'\n", input.calls, input.user,
		input.origin, input.words);
	abort();
}

void must(int held, const char *what)
{
	if (!held)
		broken(what, strerror(errno));
}

/* ---- the state that must not change ---- */

struct process look(void)
{
	struct process seen;

	memset(&seen, 0, sizeof seen);
	getresuid(&seen.uids[0], &seen.uids[1], &seen.uids[2]);
	getresgid(&seen.gids[0], &seen.gids[1], &seen.gids[2]);
	umask(seen.mask = umask(0));
	sigprocmask(SIG_SETMASK, NULL, &seen.blocked);
	must(getcwd(seen.where, sizeof seen.where) != NULL, "getcwd");
	return seen;
}

int descriptors(void)
{
	int count = 0;
	DIR *open_ones = opendir("/proc/self/fd");

	must(open_ones != NULL, "/proc/self/fd");
	while (readdir(open_ones))
		count++;
	closedir(open_ones);
	return count;
}

/* ---- the log ---- */

void listen_to_log(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	must(getenv("WORLD") != NULL, "it wants a world: build-aux/world.sh");
	snprintf(address.sun_path, sizeof address.sun_path, "%s/log", getenv("WORLD"));
	unlink(address.sun_path);
	/* A stream, because a socket of datagrams holds ten of them, and then blocks the
	   sender. */
	log_socket = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	must(!bind(log_socket, (struct sockaddr *)&address, sizeof address), "bind");
	must(!listen(log_socket, 5), "listen");
}

void take_connection(void)
{
	log_stream = accept4(log_socket, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	must(log_stream >= 0, "accept");
}

static int is_printable(const unsigned char *line)
{
	for (; *line; line++)
		if (*line < ' ' || *line == 0x7f)
			return 0;
	return 1;
}

static int starts(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

/* Check a line of the log; return whether it is one of ours. */
static int check_line(const char *line)
{
	const char *text = strstr(line, " harness: pam_pykeyinit(");

	if (text == NULL || (text = strstr(text, "): ")) == NULL)
		return 0; /* libpam's own */
	text += strlen("): ");
	if (!is_printable((const unsigned char *)line))
		broken("a line that is not one printable line", line);
	if (!starts(line, "<8")) /* authpriv is 80 to 87 */
		broken("a line that is not authpriv's", line);
	if (!refused() && (starts(text, "internal error") || starts(text, "pam_sm_")))
		broken("an internal error", line);
	return 1;
}

/* The number of our new lines; each ends with a zero byte. */
int lines(void)
{
	static char text[1 << 20];
	size_t length = 0;
	ssize_t more;
	int count = 0;

	while ((more = recv(log_stream, text + length, sizeof text - length, 0)) > 0)
		length += more;
	for (char *line = text; line < text + length; line += strlen(line) + 1)
		count += check_line(line);
	return count;
}
