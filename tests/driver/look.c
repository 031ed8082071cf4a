/* The visible state of the process: its keyrings, and everything else that must not change. */
#include "pamdrive.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <signal.h>

extern char **environ;

static struct { int serial; unsigned owner; } seen[64];
static int seen_count;

static const char *error_name(void)
{
	return strerrorname_np(errno);
}

/* "keyring;0;0;3f030000;_ses", or the name of the errno. */
static void print_description(long key)
{
	char text[512];
	long length = keyctl(DESCRIBE, key, text, sizeof text - 1);

	if (length < 0 || length >= (long)sizeof text)
		printf("\"%s\"", length < 0 ? error_name() : "too long");
	else
		printf("\"%s\"", text);
}

/* The session keyring and its links. */
static void print_session_keyring(void)
{
	int links[256];
	long session = keyctl(GET_KEYRING_ID, SESSION_KEYRING, 0);
	long size;

	if (session < 0) {
		printf("{\"error\":\"%s\"}", error_name());
		return;
	}
	printf("{\"serial\":%ld,\"description\":", session);
	print_description(session);
	printf(",\"links\":[");
	size = keyctl(READ, session, links, sizeof links);
	for (long i = 0; i < size / (long)sizeof *links; i++) {
		printf("%s", i ? "," : "");
		print_description(links[i]);
	}
	printf("]}");
}

/* The state of a keyring, as its owner, who can view it. */
static void print_state(int serial, unsigned owner)
{
	char text[8];
	int before = setfsuid(owner), refused = setfsuid(-1) != (int)owner;

	errno = EPERM;
	if (!refused)
		refused = keyctl(DESCRIBE, serial, text, sizeof text) < 0;
	printf("[%d,\"%s\"]", serial, refused ? error_name() : "live");
	setfsuid(before);
}

static void print_keyrings(void)
{
	printf("\"session\":");
	print_session_keyring();
	printf(",\"keyrings\":[");
	for (int i = 0; i < seen_count; i++) {
		printf("%s", i ? "," : "");
		print_state(seen[i].serial, seen[i].owner);
	}
	printf("]");
}

/* In a child: to look for a session keyring installs the user's, where there is none. */
static void look_in_child(void)
{
	fflush(stdout);
	pid_t child = fork();
	if (child < 0)
		fail("fork");
	if (child == 0) {
		print_keyrings();
		fflush(stdout);
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

/* The other end closes when this process ends, with any ids. */
static int alive[2];

void look_begin(void)
{
	if (pipe2(alive, O_CLOEXEC) < 0)
		fail("pipe");
}

/*
 * Remember a keyring, and keep it alive: a child that sleeps until we end has it as its
 * session keyring.  Otherwise the kernel would destroy it some time after the last process
 * left it, and the result would be "revoked" or "gone" at random.
 */
static void remember(void)
{
	int parts[2], got[2] = {0, 0};

	if (pipe(parts) < 0)
		fail("pipe");
	pid_t child = fork();
	if (child == 0) {
		char text[512];
		unsigned owner;
		got[0] = keyctl(GET_KEYRING_ID, SESSION_KEYRING, 0);
		if (got[0] > 0 && keyctl(DESCRIBE, got[0], text, sizeof text) > 0 &&
		    sscanf(text, "keyring;%u;", &owner) == 1)
			got[1] = owner;
		else
			got[0] = 0;
		if (write(parts[1], got, sizeof got) != sizeof got)
			_exit(1);
		for (int fd = 0; fd < 64; fd++)
			if (fd != alive[0])
				close(fd);
		_exit(read(alive[0], got, 1));
	}
	if (child < 0 || read(parts[0], got, sizeof got) != sizeof got)
		fail("remember");
	close(parts[0]);
	close(parts[1]);
	for (int i = 0; i < seen_count; i++)
		if (seen[i].serial == got[0])
			got[0] = 0;
	if (got[0] == 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	} else if (seen_count < (int)(sizeof seen / sizeof *seen)) {
		seen[seen_count].serial = got[0];
		seen[seen_count++].owner = got[1];
	}
}

void look(void)
{
	uid_t u[3];
	gid_t g[3];

	remember();
	getresuid(&u[0], &u[1], &u[2]);
	getresgid(&g[0], &g[1], &g[2]);
	printf("{\"ids\":[%d,%d,%d,%d,%d,%d],", u[0], u[1], u[2], g[0], g[1], g[2]);
	look_in_child();
	printf("}\n");
}

/* The lines of a /proc status file with ids, masks and signals. */
static void print_status(const char *task)
{
	char path[300], line[256];
	FILE *file;

	snprintf(path, sizeof path, "/proc/self/task/%s/status", task);
	file = fopen(path, "re");
	if (file == NULL)
		fail(path);
	while (fgets(line, sizeof line, file))
		if (!strncmp(line, "Uid:", 4) || !strncmp(line, "Gid:", 4) ||
		    !strncmp(line, "Groups:", 7) || !strncmp(line, "Umask:", 6) ||
		    !strncmp(line, "Sig", 3) || !strncmp(line, "Cap", 3)) {
			line[strcspn(line, "\n")] = 0;
			for (char *c = line; *c; c++)
				if (*c == '\t')
					*c = ' ';
			printf(",\"%s\"", line);
		}
	fclose(file);
}

void hygiene(void)
{
	char cwd[1024] = "?";
	unsigned long environment = 5381;

	if (getcwd(cwd, sizeof cwd) == NULL)
		fail("getcwd");
	for (char **e = environ; *e; e++)
		for (char *c = *e; *c; c++)
			environment = environment * 33 + (unsigned char)*c;
	printf("[\"cwd %s\",\"locale %s\",\"environment %lx\"", cwd, setlocale(LC_ALL, NULL),
	       environment);
	DIR *tasks = opendir("/proc/self/task");
	for (struct dirent *entry; tasks && (entry = readdir(tasks));)
		if (entry->d_name[0] != '.')
			print_status(entry->d_name);
	closedir(tasks);
	for (int fd = 0; fd < 64; fd++) {
		struct stat s;
		if (fstat(fd, &s) == 0)
			printf(",\"fd %d %lx:%lx\"", fd, (long)s.st_dev, (long)s.st_ino);
	}
	for (int number = 1; number < 65; number++) {
		struct sigaction action;
		if (sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_DFL)
			printf(",\"signal %d %s\"", number,
			       action.sa_handler == SIG_IGN ? "ignored" : "handled");
	}
	printf("]\n");
}

/* The number of links in the thread and the process keyring; this does not create them. */
void special(void)
{
	printf("[");
	for (int keyring = THREAD_KEYRING; keyring >= PROCESS_KEYRING; keyring--) {
		long size = keyctl(READ, keyring, NULL, 0);
		printf("%s", keyring == THREAD_KEYRING ? "" : ",");
		if (size < 0)
			printf("\"%s\"", error_name());
		else
			printf("\"%ld\"", size / (long)sizeof(int));
	}
	printf("]\n");
}

/* Whether request_key(2) finds a key of this name, from all keyrings of the thread. */
void search(const char *name)
{
	long key = syscall(SYS_request_key, "user", name, NULL, 0);

	printf("[\"%s\"]\n", key < 0 ? error_name() : "found");
}

/* The content of a key of this name, or the name of an errno. */
void read_key(const char *name)
{
	char text[1024];
	long key = keyctl(SEARCH, SESSION_KEYRING, "user", name, 0), size = -1;

	if (key > 0)
		size = keyctl(READ, key, text, sizeof text);
	if (size < 0 || size > (long)sizeof text) {
		printf("[\"%s\"]\n", size < 0 ? error_name() : "too long");
		return;
	}
	printf("[\"");
	for (long i = 0; i < size; i++)
		printf(text[i] == '\\' || text[i] == '"' ? "\\%c" : "%c", text[i]);
	printf("\"]\n");
}
