/*
 * crowd CONFDIR SERVICE PROCESSES SESSIONS USER...: many concurrent sessions.
 *
 * Each process opens SESSIONS sessions, of the users in turn, and inspects its session keyring
 * after each.  When all sessions of all processes are open, each process closes its own in random
 * order, and checks that this keyring is revoked and no other.  A refused session must have left
 * the previous keyring in place, or have its user's.  Prints the number of opened and of refused
 * sessions; any error ends it with a line.
 */
#include "pamdrive.h"

#include <errno.h>
#include <pwd.h>
#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define OWNER_VIEW 0x00010000
#define ALL_LOOKS 20 /* how often, during the closes, every keyring is inspected */

struct session {
	pam_handle_t *handle;
	long keyring; /* 0: none was created */
	uid_t owner;
	int open;
	int refused; /* with or without a keyring; then libpam chooses the code of close */
};

static struct session *sessions;
static int session_count;

/*
 * Keep a keyring alive after it is revoked and left, to distinguish it from a lost one.
 * No search enters the keyring that holds it, so we do not possess anything through this.
 * There is one holder for each: of two keyrings with the same name, a keyring keeps the last.
 */
static void keep(long keyring)
{
	char name[32];

	snprintf(name, sizeof name, "kept:%ld", keyring);
	long keeper = syscall(SYS_add_key, "keyring", name, NULL, 0, PROCESS_KEYRING);
	if (keeper < 0 || keyctl(LINK, keyring, keeper) || keyctl(SETPERM, keeper, OWNER_VIEW))
		fail("keep");
}

static uid_t owner_of(long keyring)
{
	char text[512];
	unsigned owner;

	if (keyctl(DESCRIBE, keyring, text, sizeof text) < 0 ||
	    sscanf(text, "keyring;%u;", &owner) != 1)
		fail("session keyring");
	return owner;
}

/* Whether its owner sees a live keyring. */
static int is_alive(const struct session *session)
{
	char text[8];

	if (syscall(SYS_setresuid, -1, session->owner, -1))
		fail("setresuid");
	int alive = keyctl(DESCRIBE, session->keyring, text, sizeof text) >= 0;
	int dead = !alive && errno == EKEYREVOKED;
	if (syscall(SYS_setresuid, -1, 0, -1))
		fail("setresuid");
	if (!alive && !dead)
		fail("a keyring is neither alive nor revoked");
	return alive;
}

static void check(const struct session *session)
{
	if (session->keyring && is_alive(session) != session->open) {
		fprintf(stderr, "crowd: session %ld of %d is %s\n", (long)(session - sessions),
			session_count, session->open ? "dead" : "alive");
		exit(1);
	}
}

static void open_one(struct session *session, char **argv, const char *user, long before)
{
	uid_t wanted = getpwnam(user)->pw_uid;

	if (pam_start_confdir(argv[2], user, &mute, argv[1], &session->handle))
		fail("start");
	int code = pam_open_session(session->handle, 0);
	long now = keyctl(GET_KEYRING_ID, SESSION_KEYRING, 0);
	session->refused = code != PAM_SUCCESS;
	if (now < 0)
		fail("no session keyring");
	if (now == before) {
		if (code == PAM_SUCCESS)
			fail("opened, but the keyring is the one before");
		return;
	}
	keep(now);
	session->owner = owner_of(now);
	if (session->refused && session->owner == 0)
		return; /* `force`: an empty keyring of its own replaces the caller's */
	session->keyring = now;
	session->open = 1;
	if (session->owner != wanted || (code != PAM_SUCCESS && code != PAM_SESSION_ERR)) {
		fprintf(stderr, "crowd: open for %s gave %d and a keyring of %u\n", user, code,
			session->owner);
		exit(1);
	}
}

static int close_all(void)
{
	int *order = calloc(session_count, sizeof *order), refused = 0;

	for (int i = 0; i < session_count; i++) {
		int other = rand() % (i + 1);
		order[i] = order[other];
		order[other] = i;
	}
	for (int i = 0; i < session_count; i++) {
		struct session *session = &sessions[order[i]];
		int code = pam_close_session(session->handle, 0);
		if (code != PAM_SUCCESS && !session->refused) {
			fprintf(stderr, "crowd: close gave %d\n", code);
			exit(1);
		}
		session->open = 0;
		refused += session->refused;
		check(session);
		check(&sessions[rand() % session_count]);
		if ((i + 1) % ((session_count + ALL_LOOKS - 1) / ALL_LOOKS) == 0)
			for (int j = 0; j < session_count; j++)
				check(&sessions[j]);
	}
	for (int i = 0; i < session_count; i++)
		pam_end(sessions[i].handle, PAM_SUCCESS);
	free(order);
	return refused;
}

/* One process of the crowd; waits between opening and closing until `start` is closed. */
static void take_part(int number, char **argv, int users, int ready, int start, int *refused)
{
	char byte;
	long before = 0;

	srand(number + 1);
	if (keyctl(JOIN_SESSION_KEYRING, NULL) < 0) /* the caller's is unchanged */
		fail("join");
	before = keyctl(GET_KEYRING_ID, SESSION_KEYRING, 0);
	for (int i = 0; i < session_count; i++) {
		open_one(&sessions[i], argv, argv[5 + (number + i) % users], before);
		if (sessions[i].keyring)
			before = sessions[i].keyring;
	}
	close(ready);
	if (read(start, &byte, 1) != 0)
		fail("read");
	*refused = close_all();
}

int main(int argc, char **argv)
{
	int ready[2], start[2], status, wrong = 0, all = 0;
	char byte;

	if (argc < 6) {
		fprintf(stderr, "usage: crowd CONFDIR SERVICE PROCESSES SESSIONS USER...\n");
		return 2;
	}
	int processes = atoi(argv[3]);
	session_count = atoi(argv[4]);
	sessions = calloc(session_count, sizeof *sessions);
	int *refused = mmap(NULL, processes * sizeof *refused, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sessions == NULL || refused == MAP_FAILED || pipe(ready) || pipe(start))
		fail("memory");
	for (int i = 0; i < processes; i++) {
		pid_t child = fork();
		if (child < 0)
			fail("fork");
		if (child == 0) {
			close(start[1]);
			close(ready[0]);
			take_part(i, argv, argc - 5, ready[1], start[0], &refused[i]);
			return 0;
		}
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 0) /* ends when the last child has closed its end */
		fail("read");
	close(start[1]);
	while (wait(&status) > 0)
		wrong += status != 0;
	for (int i = 0; i < processes; i++)
		all += refused[i];
	printf("opened %d refused %d\n", processes * session_count - all, all);
	return wrong != 0;
}
