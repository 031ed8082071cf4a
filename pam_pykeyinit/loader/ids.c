/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Become another user for a moment: block signals, switch, call back, restore, verify, unblock.
 *
 * identity.py explains why, and is the same in Python.  Here nothing can interrupt: no
 * signal handler, no bytecode, no memory that could run out.  System calls are made directly,
 * because libc's functions change all threads of the process.
 */
#include "ids.h"

#include <errno.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The calls with 32-bit ids, if the older ones have 16 bits. */
#ifdef SYS_setresuid32
#define CALL(name) SYS_##name##32
#else
#define CALL(name) SYS_##name
#endif

#define KEEP ((uid_t)-1)

/* It never fails, but on 32-bit systems libc takes an id above 2^32-4096 for an errno. */
static uid_t filesystem_id(long call)
{
	long id = syscall(call, KEEP);

	return id == -1 ? (uid_t)-errno : (uid_t)id;
}

static void read_ids(struct ids *ids)
{
	getresuid(&ids->user[REAL], &ids->user[EFFECTIVE], &ids->user[SAVED]);
	getresgid(&ids->group[REAL], &ids->group[EFFECTIVE], &ids->group[SAVED]);
	ids->user[FILESYSTEM] = filesystem_id(CALL(setfsuid));
	ids->group[FILESYSTEM] = filesystem_id(CALL(setfsgid));
}

static int has_capability(int number)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};

	return !syscall(SYS_capget, &header, data) && data[number / 32].effective >> number % 32 & 1;
}

/*
 * Whether these ids can be restored: with a capability, always; otherwise only if the saved
 * id equals one of the others, because the saved id is overwritten meanwhile.
 */
static int can_return(const uid_t before[SLOTS], int capability)
{
	return before[SAVED] == before[REAL] || before[SAVED] == before[EFFECTIVE] ||
	       has_capability(capability);
}

/* Set the id in one slot, and keep the previous one as the saved id. */
static int change(long call, int capability, const uid_t before[SLOTS], enum slot slot, uid_t id)
{
	if (before[slot] == id)
		return 0;
	if (!can_return(before, capability)) {
		errno = EPERM;
		return -1;
	}
	return syscall(call, slot == REAL ? id : KEEP, slot == EFFECTIVE ? id : KEEP, before[slot]);
}

/* setfsuid(2) does not report failure. */
static int change_filesystem_user(uid_t id)
{
	syscall(CALL(setfsuid), id);
	if (filesystem_id(CALL(setfsuid)) == id)
		return 0;
	errno = EPERM;
	return -1;
}

/* 0, or the errno of the refused call. */
static int switch_ids(struct change *wanted)
{
	const struct ids *before = &wanted->before;

	if (wanted->slot == FILESYSTEM) {
		wanted->refused = "setfsuid";
		return change_filesystem_user(wanted->uid) ? errno : 0;
	}
	wanted->refused = "setresgid"; /* first, because without root's uid it may be refused */
	if (change(CALL(setresgid), CAP_SETGID, before->group, wanted->slot, wanted->gid))
		return errno;
	wanted->refused = "setresuid";
	return change(CALL(setresuid), CAP_SETUID, before->user, wanted->slot, wanted->uid) ? errno : 0;
}

/* The user first, for the same reason.  Both calls set the filesystem id as well. */
static void put_back(long call, long filesystem_call, enum slot slot, const uid_t before[SLOTS])
{
	if (slot == EFFECTIVE) /* it gives the right to set the other ids */
		syscall(call, KEEP, before[EFFECTIVE], KEEP);
	if (slot != FILESYSTEM)
		syscall(call, before[REAL], before[EFFECTIVE], before[SAVED]);
	if (slot == FILESYSTEM || before[FILESYSTEM] != before[EFFECTIVE])
		syscall(filesystem_call, before[FILESYSTEM]);
}

static int restore(struct change *done)
{
	put_back(CALL(setresuid), CALL(setfsuid), done->slot, done->before.user);
	put_back(CALL(setresgid), CALL(setfsgid), done->slot, done->before.group);
	read_ids(&done->now);
	return memcmp(&done->before, &done->now, sizeof done->now);
}

int with_ids(struct change *wanted, void (*work)(void *), void *data)
{
	const struct ids *before = &wanted->before;
	int death_signal = 0, dumpable = 0, wrong;
	sigset_t all, signals;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &signals);
	read_ids(&wanted->before);
	/* The kernel resets these two when a filesystem id changes (commit_creds). */
	int resets = wanted->slot != REAL || before->user[FILESYSTEM] != before->user[EFFECTIVE] ||
		     before->group[FILESYSTEM] != before->group[EFFECTIVE];
	if (resets) {
		prctl(PR_GET_PDEATHSIG, &death_signal);
		dumpable = prctl(PR_GET_DUMPABLE);
	}
	wrong = switch_ids(wanted);
	if (!wrong)
		work(data);
	if (restore(wanted) && restore(wanted)) /* try again: the process must not stay the user */
		wrong = -1;
	if (resets) {
		prctl(PR_SET_PDEATHSIG, death_signal);
		if (dumpable < 2 && prctl(PR_GET_DUMPABLE) != dumpable) /* 2 cannot be set */
			prctl(PR_SET_DUMPABLE, dumpable);
	}
	pthread_sigmask(SIG_SETMASK, &signals, NULL);
	return wrong;
}
