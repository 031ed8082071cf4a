/*
 * pamdrive CONFDIR: a scripted PAM application.
 *
 * Standard input is a script with a command on each line; standard output has a line of JSON for
 * each command with a result.
 *
 *   start H SERVICE USER   pam_start_confdir; handle H is a digit; USER "-" is none,
 *                          "=" the empty name; %XX is a byte
 *   auth|acct|open|close|chauthtok H
 *   establish|delete|reinitialize|refresh H        pam_setcred with that flag
 *   end H                  pam_end
 *   forkend H USER         pam_end in a forked child that has become USER, as su does
 *   thread N               run later commands in thread N, a digit; 0 is the first, the others
 *                          are created at their first use
 *   answer TEXT            answer later prompts with this, instead of a refusal
 *   syslog TEXT            log a line of the application itself
 *   add NAME, search NAME  add a key to the session keyring; the result of request_key(2)
 *   special                the links of @t and @p
 *   item H tty|rhost TEXT  pam_set_item; %XX is a byte
 *   keyctl NUMBER [A [B]]  that operation, with numbers, as pamdrive itself
 *   sleep MILLISECONDS
 *   touch FILE, await FILE create a file; wait for one: to synchronise two programs
 *   read NAME              the content of a key that is found from the session keyring
 *   look, hygiene, prep, ids, seccomp, setperm     see pamdrive.h
 *   fault, signal, calls, fork     only in pamfault, see faults.c
 *
 * A PAM call prints {"call": ..., "code": ...}, and then a look.
 */
#include "pamdrive.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <syslog.h>

static pam_handle_t *handles[10];
static char *answer;
static int thread;

static int converse(int count, const struct pam_message **messages, struct pam_response **responses,
		    void *unused)
{
	(void)messages, (void)unused;
	if (answer == NULL || count != 1)
		return PAM_CONV_ERR;
	*responses = calloc(1, sizeof **responses);
	(*responses)->resp = strdup(answer);
	return PAM_SUCCESS;
}

static void touch(const char *file)
{
	int made = creat(file, 0600);

	if (made < 0 || close(made))
		fail(file);
}

static void await(const char *file)
{
	while (access(file, F_OK))
		usleep(10 * 1000);
}

/* %0a is a newline, and so on. */
static char *decode(char *text)
{
	char *to = text;

	for (char *from = text; *from; from++) {
		unsigned byte;
		if (*from == '%' && sscanf(from + 1, "%2x", &byte) == 1) {
			*to++ = byte;
			from += 2;
		} else {
			*to++ = *from;
		}
	}
	*to = 0;
	return text;
}

static int start(const char *confdir, char **words)
{
	static const struct pam_conv conversation = {converse, NULL};
	const char *user = decode(words[3]);

	if (!strcmp(user, "-"))
		user = NULL;
	else if (!strcmp(user, "="))
		user = "";
	return pam_start_confdir(words[2], user, &conversation, confdir,
				 &handles[words[1][0] - '0']);
}

static int end_in_child(pam_handle_t *handle, const char *name)
{
	int status;
	struct passwd *user = getpwnam(name);

	if (user == NULL)
		fail(name);
	fflush(stdout);
	pid_t child = fork();
	if (child < 0)
		fail("fork");
	if (child == 0) {
		if (setgid(user->pw_gid) || setuid(user->pw_uid))
			_exit(98);
		_exit(pam_end(handle, PAM_DATA_SILENT));
	}
	waitpid(child, &status, 0);
	return status;
}

static int call(const char *name, pam_handle_t *handle, char **words)
{
	if (!strcmp(name, "auth"))
		return pam_authenticate(handle, 0);
	if (!strcmp(name, "acct"))
		return pam_acct_mgmt(handle, 0);
	if (!strcmp(name, "open"))
		return pam_open_session(handle, 0);
	if (!strcmp(name, "close"))
		return pam_close_session(handle, 0);
	if (!strcmp(name, "chauthtok"))
		return pam_chauthtok(handle, 0);
	if (!strcmp(name, "establish"))
		return pam_setcred(handle, PAM_ESTABLISH_CRED);
	if (!strcmp(name, "delete"))
		return pam_setcred(handle, PAM_DELETE_CRED);
	if (!strcmp(name, "reinitialize"))
		return pam_setcred(handle, PAM_REINITIALIZE_CRED);
	if (!strcmp(name, "refresh"))
		return pam_setcred(handle, PAM_REFRESH_CRED);
	if (!strcmp(name, "end"))
		return pam_end(handle, PAM_SUCCESS);
	if (!strcmp(name, "forkend"))
		return end_in_child(handle, words[2]);
	errno = EINVAL;
	fail(name);
}

static void set_item(pam_handle_t *handle, char **words)
{
	int item = strcmp(words[2], "tty") ? PAM_RHOST : PAM_TTY;

	if (pam_set_item(handle, item, decode(words[3])) != PAM_SUCCESS)
		fail("item");
}

static void nothing(const char *confdir, char **words)
{
	(void)confdir, (void)words;
}

static void run(const char *confdir, char **words)
{
	const char *name = words[0];

	if (!strcmp(name, "look"))
		look();
	else if (!strcmp(name, "hygiene"))
		hygiene();
	else if (!strcmp(name, "prep"))
		prepare(words);
	else if (!strcmp(name, "ids"))
		set_ids(words);
	else if (!strcmp(name, "seccomp"))
		deny(words);
	else if (!strcmp(name, "special"))
		special();
	else if (!strcmp(name, "search"))
		search(words[1]);
	else if (!strcmp(name, "add"))
		add_key_named(words[1]);
	else if (!strcmp(name, "setperm"))
		set_permissions(words);
	else if (!strcmp(name, "answer"))
		answer = strdup(words[1]);
	else if (!strcmp(name, "item"))
		set_item(handles[words[1][0] - '0'], words);
	else if (!strcmp(name, "keyctl"))
		operate(words);
	else if (!strcmp(name, "read"))
		read_key(words[1]);
	else if (!strcmp(name, "sleep"))
		usleep(atoi(words[1]) * 1000);
	else if (!strcmp(name, "touch"))
		touch(words[1]);
	else if (!strcmp(name, "await"))
		await(words[1]);
	else if (!strcmp(name, "syslog"))
		syslog(LOG_INFO, "%s", words[1]);
	else if (fault_next && !strcmp(name, "fault"))
		fault_next(atoi(words[1]), atoi(words[2]), words[3] != NULL);
	else if (fault_signal && !strcmp(name, "signal"))
		fault_signal(atoi(words[1]), words[2] != NULL);
	else if (fault_calls && !strcmp(name, "calls"))
		fault_calls();
	else {
		int code = !strcmp(name, "start") ? start(confdir, words)
						  : call(name, handles[words[1][0] - '0'], words);
		printf("{\"call\":\"%s\",\"handle\":%c,\"code\":%d}\n", name, words[1][0], code);
		look();
	}
}

/* Read the whole script: what a child reads of it is not lost to the parent. */
static FILE *read_script(void)
{
	static char *text;
	size_t size = 0;
	ssize_t length = getdelim(&text, &size, 0, stdin);

	FILE *script = fmemopen(length > 0 ? text : "\n", length > 0 ? length : 1, "r");
	if (script == NULL)
		fail("fmemopen");
	return script;
}

/* Continue in a child, which ends at "join"; the parent waits, and continues after it. */
static void fork_until_join(FILE *script, char *line, int size)
{
	int status;

	fflush(stdout);
	pid_t child = fork();
	if (child < 0)
		fail("fork");
	if (child == 0) {
		look_begin(); /* the child's own record ends with it */
		return;
	}
	waitpid(child, &status, 0);
	if (status) {
		fprintf(stderr, "pamdrive: a child ended with %x\n", status);
		exit(98);
	}
	while (fgets(line, size, script) && strcmp(line, "join\n"))
		;
}

int main(int argc, char **argv)
{
	static char line[70000];

	if (argc != 2) {
		fprintf(stderr, "usage: pamdrive CONFDIR <SCRIPT\n");
		return 2;
	}
	look_begin();
	openlog("pamdrive", 0, LOG_DAEMON);
	FILE *script = read_script();
	while (fgets(line, sizeof line, script)) {
		char *words[10] = {NULL}, *rest = line;
		int count = 0;

		line[strcspn(line, "\n")] = 0;
		for (char *word; count < 9 && (word = strsep(&rest, " "));)
			words[count++] = word;
		if (!strcmp(words[0], "join"))
			break;
		command *wanted = words[0][0] ? run : nothing;
		if (!strcmp(words[0], "fork")) {
			fork_until_join(script, line, sizeof line);
			wanted = nothing;
		}
		if (!strcmp(words[0], "thread")) {
			thread = words[1][0] - '0';
			wanted = nothing;
		}
		thread ? in_thread(thread, wanted, argv[1], words) : wanted(argv[1], words);
	}
	fflush(stdout);
	return 0;
}
