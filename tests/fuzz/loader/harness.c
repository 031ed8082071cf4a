/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sessions with words and names that a fuzzer makes up: libFuzzer's target for pam_pykeyinit.so.
 *
 * Four lines of data: the calls, a letter each; the user; the terminal and remote host; the
 * words of the PAM line.  They go through a service file and the real libpam into the loader,
 * which is the one that is instrumented.  After each call it must hold that
 *
 *   the code is one that the manual page has for the call
 *   PAM_USER_UNKNOWN comes if and only if the user's name is nobody's
 *   the ids, umask, folder and blocked signals are as before
 *   each line in the log is one line, printable, of authpriv, and of ours; without `debug` not
 *     more of them than there are words that could be wrong, and one that failed
 *   no line tells of an internal error
 *
 * It wants root and a world of its own (build-aux/world.sh), where $WORLD/log is /dev/log.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#define KEYCTL_JOIN_SESSION_KEYRING 1
#define MOST_CALLS 12
#define MOST_WORDS 60 /* each may be a line in the log, which has to hold them */

static int log_socket, log_stream = -1;
static char folder[256];
static const char *module; /* what is instrumented */

static struct {
	const char *calls, *user, *origin, *words;
} input;

static void broken(const char *what, const char *detail)
{
	fprintf(stderr, "harness: %s: %s\n", what, detail);
	fprintf(stderr, "harness: calls '%s' user '%s' from '%s' words '%s'\n", input.calls, input.user,
		input.origin, input.words);
	abort();
}

static void must(int held, const char *what)
{
	if (!held)
		broken(what, strerror(errno));
}

static int converse(int count, const struct pam_message **messages, struct pam_response **responses,
		    void *unused)
{
	return PAM_CONV_ERR;
}

/* ---- what must be as before ---- */

struct process {
	uid_t uids[3];
	gid_t gids[3];
	mode_t mask;
	sigset_t blocked;
	char where[4096];
};

static struct process look(void)
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

static int descriptors(void)
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

static void listen_to_log(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	must(getenv("WORLD") != NULL, "it wants a world: build-aux/world.sh");
	snprintf(address.sun_path, sizeof address.sun_path, "%s/log", getenv("WORLD"));
	unlink(address.sun_path);
	/* A stream, for a socket of datagrams holds ten of them, and then has the sender wait. */
	log_socket = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	must(!bind(log_socket, (struct sockaddr *)&address, sizeof address), "bind");
	must(!listen(log_socket, 5), "listen");
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

/* Look at a line of the log; whether it is one of ours. */
static int check_line(const char *line)
{
	const char *text = strstr(line, " harness: pam_pykeyinit(s:");

	if (text == NULL || (text = strstr(text, "): ")) == NULL)
		return 0; /* libpam's own */
	text += strlen("): ");
	if (!is_printable((const unsigned char *)line))
		broken("a line that is not one printable line", line);
	if (!starts(line, "<8")) /* authpriv is 80 to 87 */
		broken("a line that is not authpriv's", line);
	if (starts(text, "internal error") || starts(text, "pam_sm_"))
		broken("an internal error", line);
	return 1;
}

/* How many lines of ours came since the last time; each ends with a zero byte. */
static int lines(void)
{
	static char text[1 << 20];
	size_t length = 0;
	ssize_t more;
	int count = 0;

	if (log_stream < 0)
		log_stream = accept4(log_socket, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	while ((more = recv(log_stream, text + length, sizeof text - length, 0)) > 0)
		length += more;
	for (char *line = text; line < text + length; line += strlen(line) + 1)
		count += check_line(line);
	return count;
}

/* ---- one run ---- */

static int count_words(const char *text)
{
	int count = 1;

	for (; *text; text++)
		count += strchr(" \t[]", *text) != NULL;
	return count;
}

static void write_service(void)
{
	char path[300];
	FILE *file;

	snprintf(path, sizeof path, "%s/s", folder);
	file = fopen(path, "w");
	must(file != NULL, path);
	for (const char *const *type = (const char *const[]){"auth", "account", "session", NULL}; *type; type++)
		fprintf(file, "%s required %s %s\n", *type, module, input.words);
	fclose(file);
}

static int in(int code, const int *codes)
{
	while (*codes != -1)
		if (*codes++ == code)
			return 1;
	return 0;
}

static int do_call(pam_handle_t *pamh, char name)
{
	switch (name) {
	case 'a':
		return pam_authenticate(pamh, 0);
	case 'p':
		return pam_acct_mgmt(pamh, 0);
	case 'e':
		return pam_setcred(pamh, PAM_ESTABLISH_CRED);
	case 'd':
		return pam_setcred(pamh, PAM_DELETE_CRED);
	case 'r':
		return pam_setcred(pamh, PAM_REFRESH_CRED);
	case 'i':
		return pam_setcred(pamh, PAM_REINITIALIZE_CRED);
	case 'c':
		return pam_close_session(pamh, 0);
	default:
		return pam_open_session(pamh, 0);
	}
}

static void check_code(char name, int code)
{
	/* libpam makes PAM_PERM_DENIED of a stack that only ignores. */
	static const int opening[] = {PAM_SUCCESS, PAM_SESSION_ERR, PAM_USER_UNKNOWN, PAM_CONV_ERR,
				      PAM_PERM_DENIED, -1};
	static const int closing[] = {PAM_SUCCESS, PAM_PERM_DENIED, -1};
	static const int cred[] = {PAM_SUCCESS, PAM_CRED_ERR, PAM_USER_UNKNOWN, PAM_CONV_ERR,
				   PAM_PERM_DENIED, PAM_IGNORE, -1};
	static const int nothing[] = {PAM_PERM_DENIED, -1};
	char text[60];
	int unknown = getpwnam(input.user) == NULL;

	snprintf(text, sizeof text, "call '%c' gave %d", name, code);
	if (!in(code, name == 'o' ? opening : name == 'c' ? closing : strchr("ap", name) ? nothing : cred))
		broken("not a code of the manual page's", text);
	if (code == PAM_USER_UNKNOWN && !unknown)
		broken("a user of this machine is unknown", text);
	if (name == 'o' && code == PAM_SUCCESS && unknown)
		broken("nobody has a session", text);
}

static void run(void)
{
	static const struct pam_conv conversation = {converse, NULL};
	static int started; /* Python is, and keeps what it has opened */
	pam_handle_t *pamh = NULL;
	struct process before, after;
	int debug = strstr(input.words, "debug") != NULL, most = count_words(input.words);

	/* The user-session keyring, as at the beginning of a login. */
	syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, "_uid_ses.0", 0, 0, 0);
	write_service();
	if (pam_start_confdir("s", input.user, &conversation, folder, &pamh) != PAM_SUCCESS)
		return; /* a line that libpam cannot read */
	pam_set_item(pamh, PAM_TTY, input.origin);
	pam_set_item(pamh, PAM_RHOST, input.origin);
	lines();
	before = look();
	int open_ones = descriptors();
	int named = 0;
	for (const char *call = input.calls; *call && call < input.calls + MOST_CALLS; call++) {
		char name = strchr("apedric", *call) ? *call : 'o';
		check_code(name, do_call(pamh, name));
		after = look();
		if (memcmp(&before, &after, sizeof before))
			broken("ids, umask, folder or signals are not as before", (char[]){name, 0});
		int found = lines();
		named += found;
		/* A wrong word is named once for a handle; besides, a call has one line at most. */
		if (!debug && named > most + (int)(call - input.calls) + 1)
			broken("more lines than there is to say", (char[]){name, 0});
	}
	pam_end(pamh, PAM_SUCCESS);
	if (descriptors() != open_ones && started)
		broken("descriptors are left open", "");
	started = 1;
}

/* ---- libFuzzer's functions ---- */

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *cut(char **rest)
{
	static char none[1];
	char *line = strsep(rest, "\n");

	return line ? line : none;
}

/* What ends a line ends the user's name, too: libpam gets a C string. */
static void set_input(char *text)
{
	char *rest = text;

	input.calls = cut(&rest);
	input.user = cut(&rest);
	input.origin = cut(&rest);
	char *words = cut(&rest);
	input.words = words;
	for (int count = 0; *words && count < MOST_WORDS; words++)
		count += strchr(" \t[", *words) != NULL;
	*words = 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char path[300];

	module = getenv("FUZZ_MODULE");
	must(module != NULL, "FUZZ_MODULE");
	snprintf(folder, sizeof folder, "%s/fuzz.XXXXXX", getenv("WORLD") ? getenv("WORLD") : "");
	must(mkdtemp(folder) != NULL, "mkdtemp");
	snprintf(path, sizeof path, "%s/other", folder);
	FILE *other = fopen(path, "w");
	must(other != NULL, path);
	fputs("auth required pam_deny.so\n", other);
	fclose(other);
	listen_to_log();
	openlog("harness", LOG_NDELAY, LOG_DAEMON);
	lines(); /* takes the connection */
	must(log_stream >= 0, "accept");
	getpwnam("root");
	/* Loaded before the first run, so that libFuzzer knows how much there is to reach. */
	if (dlopen(module, RTLD_NOW) == NULL)
		broken("dlopen", dlerror());
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[65536];

	if (size >= sizeof text)
		return -1;
	memcpy(text, data, size);
	text[size] = 0;
	set_input(text);
	run();
	return 0;
}
