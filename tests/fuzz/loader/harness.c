/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sessions with generated options and names: libFuzzer's target for pam_pykeyinit.so.
 *
 * Four lines of data: the calls, a letter each; the user; the terminal and remote host; the
 * options of the PAM line.  They go through a service file and the real libpam into the loader,
 * which is instrumented.  Some letters modify the calls after them: see prefix().  After each call
 * these properties must hold:
 *
 *   the code is one that the manual page has for the call
 *   PAM_USER_UNKNOWN is returned if and only if the user does not exist
 *   the ids, umask, folder and blocked signals are as before
 *   each line in the log is one line, printable, of authpriv, and ours; without `debug` there are
 *     at most as many as options that could be wrong, and one for a failure
 *   no line reports an internal error
 *
 * It needs root and its own world (build-aux/world.sh), where $WORLD/log is /dev/log.
 */
#include "watch.h"

#include <dlfcn.h>
#include <errno.h>
#include <pwd.h>
#include <security/pam_appl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <syslog.h>
#include <unistd.h>

#define KEYCTL_JOIN_SESSION_KEYRING 1
#define MOST_CALLS 16
#define MOST_WORDS 60 /* each can be a line in the log, which must have room for them */

static char folder[256];
static int which;               /* of two handles: the first is the input's, the second bob's */
static pam_handle_t *handles[2];
static call_of *way;            /* how the next call is made, if not here */
static int new_handles;         /* since the last call: a child has its own */
static const char *module; /* the instrumented module */

static int converse(int count, const struct pam_message **messages, struct pam_response **responses,
		    void *unused)
{
	return PAM_CONV_ERR;
}

/* ---- one run ---- */

static int count_words(const char *text)
{
	int count = 1;

	for (; *text; text++)
		count += strchr(" \t[]", *text) != NULL;
	return count;
}

static void write_service(const char *name, const char *words)
{
	static const char *const types[] = {"auth", "account", "password", "session", NULL};
	char path[300];
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	file = fopen(path, "w");
	must(file != NULL, path);
	for (const char *const *type = types; *type; type++)
		fprintf(file, "%s required %s %s\n", *type, module, words);
	fclose(file);
}

static int in(int code, const int *codes)
{
	while (*codes != -1)
		if (*codes++ == code)
			return 1;
	return 0;
}

static int do_call(void *pamh, char name)
{
	switch (name) {
	case 'a':
		return pam_authenticate(pamh, 0);
	case 'p':
		return pam_acct_mgmt(pamh, 0);
	case 's':
		return pam_chauthtok(pamh, 0);
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
	/* libpam returns PAM_PERM_DENIED for a stack that only ignores. */
	static const int opening[] = {PAM_SUCCESS, PAM_SESSION_ERR, PAM_USER_UNKNOWN, PAM_CONV_ERR,
				      PAM_PERM_DENIED, -1};
	static const int closing[] = {PAM_SUCCESS, PAM_PERM_DENIED, -1};
	static const int cred[] = {PAM_SUCCESS, PAM_CRED_ERR, PAM_USER_UNKNOWN, PAM_CONV_ERR,
				   PAM_PERM_DENIED, PAM_IGNORE, -1};
	static const int nothing[] = {PAM_PERM_DENIED, -1};
	/* A refused call of libpam, and the resulting code of each service function. */
	static const int failing[] = {PAM_SUCCESS, PAM_PERM_DENIED, PAM_SERVICE_ERR, PAM_CRED_ERR,
				      PAM_SESSION_ERR, PAM_USER_UNKNOWN, PAM_CONV_ERR, PAM_IGNORE, -1};
	char text[60];
	int unknown = getpwnam(input.user) == NULL;

	snprintf(text, sizeof text, "call '%c' gave %d", name, code);
	if (!in(code, refused() ? failing : name == 'o' ? opening : name == 'c' ? closing :
		      strchr("aps", name) ? nothing : cred))
		broken("not a code of the manual page's", text);
	if (code == PAM_USER_UNKNOWN && !unknown && which == 0)
		broken("a user of this machine is unknown", text);
	if (name == 'o' && code == PAM_SUCCESS && unknown && which == 0)
		broken("nobody has a session", text);
}

static int by_thread(void *pamh, char name)
{
	return in_thread(do_call, pamh, name);
}

static int by_child(void *pamh, char name)
{
	return in_child(do_call, pamh, name);
}

static int start(int number)
{
	static const struct pam_conv conversation = {converse, NULL};
	const char *user = number ? "bob" : input.user;

	/* A missing user is asked for, and the conversation fails. */
	return pam_start_confdir(number ? "t" : "s", strcmp(user, "?") ? user : NULL, &conversation,
				 folder, &handles[number]);
}

/*
 * Letters that are not calls: 1 and 2 select the handle of the next calls; t and f make the next
 * one in a thread, or a forked child; ! and a letter refuse one of the next calls of the module; E
 * ends the handle and starts it again.  Returns whether it was one of these.
 */
static int prefix(const char **at)
{
	switch (**at) {
	case '1':
	case '2':
		which = **at - '1';
		if (handles[which] == NULL)
			must(start(which) == PAM_SUCCESS, "pam_start");
		return 1;
	case 't':
		way = by_thread;
		return 1;
	case 'f':
		way = by_child;
		new_handles++;
		return 1;
	case 'E':
		new_handles++;
		pam_end(handles[which], PAM_SUCCESS);
		must(start(which) == PAM_SUCCESS, "pam_start");
		return 1;
	case '!':
		if ((*at)[1])
			++*at;
		refuse(**at % 16 + 1, (unsigned char)**at / 16);
		return 1;
	}
	return 0;
}

/* Make the calls; return whether one was made here, and not only by a child. */
static int make_calls(const struct process *before)
{
	int debug = strstr(input.words, "debug") != NULL, here = 0;
	int options = count_words(input.words), most = options, named = 0;
	const char *end = input.calls + strnlen(input.calls, MOST_CALLS);

	for (const char *at = input.calls; at < end; at++) {
		if (prefix(&at))
			continue;
		char name = strchr("apsedric", *at) ? *at : 'o';
		check_code(name, (way ? way : do_call)(handles[which], name));
		here |= way != by_child;
		way = NULL;
		struct process after = look();
		if (memcmp(before, &after, sizeof after))
			broken("ids, umask, folder or signals are not as before", (char[]){name, 0});
		named += lines();
		/* A wrong option is named once for a handle; besides, a call has one line, and
		   one more if the displaced keyring cannot be held. */
		most += 2 + options * new_handles;
		new_handles = 0;
		if (!debug && named > most)
			broken("more lines than there is to say", (char[]){name, 0});
	}
	return here;
}

static void run(void)
{
	static int started; /* Python is, and keeps its descriptors */
	struct process before;

	/* The user-session keyring, as at the beginning of a login. */
	syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, "_uid_ses.0", 0, 0, 0);
	refuse(0, 0);
	which = new_handles = 0;
	way = NULL;
	write_service("s", input.words);
	if (start(0) != PAM_SUCCESS)
		return; /* a line that libpam cannot read */
	pam_set_item(handles[0], PAM_TTY, input.origin);
	pam_set_item(handles[0], PAM_RHOST, input.origin);
	lines();
	before = look();
	int open_ones = descriptors(), here = make_calls(&before);
	refuse(0, 0);
	for (int i = 0; i < 2; i++)
		if (handles[i])
			pam_end(handles[i], PAM_SUCCESS);
	handles[0] = handles[1] = NULL;
	if (descriptors() != open_ones && started)
		broken("descriptors are left open", "");
	started |= here;
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

/* A line end also ends the user's name: libpam gets a C string. */
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
	must(getenv("WORLD") != NULL, "WORLD"); /* not in the folder of the whole machine */
	snprintf(folder, sizeof folder, "%s/fuzz.XXXXXX", getenv("WORLD"));
	must(mkdtemp(folder) != NULL, "mkdtemp");
	snprintf(path, sizeof path, "%s/other", folder);
	FILE *other = fopen(path, "w");
	must(other != NULL, path);
	fputs("auth required pam_deny.so\n", other);
	fclose(other);
	write_service("t", "force revoke");
	listen_to_log();
	openlog("harness", LOG_NDELAY, LOG_DAEMON);
	take_connection();
	getpwnam("root");
	/* Loaded before the first run, so that libFuzzer knows the number of edges. */
	if (dlopen(module, RTLD_NOW) == NULL)
		broken("dlopen", dlerror());
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[65536];

	/* The first input is empty, and its coverage is not counted: it must not start Python. */
	if (size == 0 || size >= sizeof text)
		return -1;
	memcpy(text, data, size);
	text[size] = 0;
	set_input(text);
	run();
	return 0;
}
