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
#define MOST_CALLS 12
#define MOST_WORDS 60 /* each may be a line in the log, which has to hold them */

static char folder[256];
static const char *module; /* what is instrumented */

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
	must(getenv("WORLD") != NULL, "WORLD"); /* not in the folder of the whole machine */
	snprintf(folder, sizeof folder, "%s/fuzz.XXXXXX", getenv("WORLD"));
	must(mkdtemp(folder) != NULL, "mkdtemp");
	snprintf(path, sizeof path, "%s/other", folder);
	FILE *other = fopen(path, "w");
	must(other != NULL, path);
	fputs("auth required pam_deny.so\n", other);
	fclose(other);
	listen_to_log();
	openlog("harness", LOG_NDELAY, LOG_DAEMON);
	take_connection();
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
