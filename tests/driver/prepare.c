/* Set the stage before libpam is called: keyrings, ids, and refusals of the kernel. */
#include "pamdrive.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/* Whether the process has no session keyring at all: then @s is the @us of each user that it
   becomes. */
static int has_none(void)
{
	fflush(stdout);
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		if (syscall(SYS_setresuid, 61999, 61999, 61999) < 0)
			_exit(2);
		_exit(keyctl(GET_KEYRING_ID, SESSION_KEYRING, 0) ==
		      keyctl(GET_KEYRING_ID, USER_SESSION_KEYRING, 0));
	}

	waitpid(child, &status, 0);
	return status == 0x100;
}

static long join_as(const char *name)
{
	struct passwd *user = getpwnam(name);
	long serial;

	if (user == NULL)
		fail(name);
	if (syscall(SYS_setresgid, user->pw_gid, -1, 0) || syscall(SYS_setresuid, user->pw_uid, -1, 0))
		fail("become the keyring's owner");
	serial = keyctl(JOIN_SESSION_KEYRING, NULL);
	if (syscall(SYS_setresuid, 0, 0, 0) || syscall(SYS_setresgid, 0, 0, 0) || serial < 0)
		fail("join");
	return serial;
}

/* prep none | us | own USER | revoked USER | expired USER */
void prepare(char **words)
{
	const char *kind = words[1];

	if (!strcmp(kind, "none")) {
		if (!has_none())
			fail("there is a session keyring already");
	} else if (!strcmp(kind, "us")) {
		if (!has_none() || keyctl(GET_KEYRING_ID, SESSION_KEYRING, 0) < 0)
			fail("install @us");
	} else {
		long serial = join_as(words[2]);
		if (!strcmp(kind, "revoked") && keyctl(REVOKE, serial) < 0)
			fail("revoke");
		if (!strcmp(kind, "expired")) {
			if (keyctl(SET_TIMEOUT, serial, 1) < 0)
				fail("set_timeout");
			usleep(1200 * 1000);
		}
	}
}

/* ids RUID EUID SUID RGID EGID SGID; the groups first, while that is allowed */
void set_ids(char **words)
{
	int id[6];

	for (int i = 0; i < 6; i++)
		id[i] = atoi(words[i + 1]);
	if (syscall(SYS_setresgid, id[3], id[4], id[5]) || syscall(SYS_setresuid, id[0], id[1], id[2]))
		fail("ids");
}

/* seccomp NUMBER ERRNO [ARGUMENT]: from now on the kernel refuses that system call (if its
   first argument is ARGUMENT) */
void deny(char **words)
{
	unsigned number = atoi(words[1]), error = atoi(words[2]);
	int any = words[3] == NULL;
	/* The lower half of a 64-bit argument. */
	int half = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0;
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + half),
		BPF_JUMP(BPF_JMP | (any ? BPF_JGE : BPF_JEQ) | BPF_K, any ? 0 : atoi(words[3]), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof filter / sizeof *filter, filter};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		fail("seccomp");
}

/* setperm MASK: as the owner of the session keyring can */
void set_permissions(char **words)
{
	if (keyctl(SETPERM, SESSION_KEYRING, strtoul(words[1], NULL, 0)) < 0)
		fail("setperm");
}

void add_key_named(const char *name)
{
	long key = syscall(SYS_add_key, "user", name, "x", 1, SESSION_KEYRING);

	if (key < 0)
		fail("add_key");
	search(name);
}

/* keyctl NUMBER A B */
void operate(char **words)
{
	long number[3] = {0, 0, 0};

	for (int i = 0; i < 3 && words[i + 1]; i++)
		number[i] = strtol(words[i + 1], NULL, 0);
	if (keyctl(number[0], number[1], number[2]) < 0)
		fail(words[1]);
}
