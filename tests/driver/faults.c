/*
 * The difference between pamfault and pamdrive: these functions come between the module and the
 * calls that it makes, and refuse one on request.
 *
 *   fault N CODE   the Nth of these calls from now on, counted from 1, is not made, and returns
 *                  that errno, or, if it is a function of libpam, that code of PAM
 *   fault N CODE lasting    the same for all of them from the Nth on
 *   signal N       before the Nth a signal comes; its handler prints the real, effective and saved
 *                  uid: a list
 *   signal N fork  its handler forks, and only the child goes on
 *   calls          the calls since then: a list of their names
 *   fork ... join  a forked child executes the commands between, and ends there
 *
 * The functions of the program come before those of libc and libpam in the module's symbol
 * lookup.  Calls of this program and of libpam itself pass, and are not counted.
 */
#include "pamdrive.h"

#include <dlfcn.h>
#include <errno.h>
#include <security/pam_modules.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define MOST 400

static char names[MOST][40];
static int made, at, code, lasting, signal_at;
extern char __executable_start, etext;

void fault_next(int number, int gives, int stays)
{
	made = 0;
	at = number;
	code = gives;
	lasting = stays;
}

static void say_ids(int number)
{
	uid_t real, effective, saved;

	(void)number;
	getresuid(&real, &effective, &saved);
	printf("[\"%u\",\"%u\",\"%u\"]\n", real, effective, saved);
}

static void go_on_in_child(int number)
{
	int status;

	(void)number;
	fflush(stdout);
	pid_t child = fork();
	if (child < 0)
		fail("fork");
	if (child == 0)
		return;
	waitpid(child, &status, 0);
	_exit(status ? 98 : 0);
}

void fault_signal(int number, int forks)
{
	made = 0;
	signal_at = number;
	signal(SIGUSR1, forks ? go_on_in_child : say_ids);
}

void fault_calls(void)
{
	printf("[");
	for (int i = 0; i < made && i < MOST; i++)
		printf("%s\"%s\"", i ? "," : "", names[i]);
	printf("]\n");
}

static int is_the_modules(const void *caller)
{
	Dl_info in;

	if ((const char *)caller >= &__executable_start && (const char *)caller < &etext)
		return 0;
	return !dladdr(caller, &in) || in.dli_fname == NULL || !strstr(in.dli_fname, "libpam.so");
}

/* Count a call; return whether it is the one to refuse. */
static int is_refused(const void *caller, const char *name, long operation)
{
	if (!is_the_modules(caller))
		return 0;
	if (made < MOST)
		snprintf(names[made], sizeof *names, operation < 0 ? "%s" : "%s %ld", name, operation);
	if (++made == signal_at)
		raise(SIGUSR1);
	return made == at || (lasting && made > at);
}

static void *next(const char *name)
{
	void *function = dlsym(RTLD_NEXT, name);

	if (function == NULL)
		fail(name);
	return function;
}

#define NEXT(name) ((__typeof__(&name))next(#name))
#define REFUSED(name) is_refused(__builtin_return_address(0), name, -1)

static const char *name_of(long number)
{
	switch (number) {
	case SYS_keyctl:
		return "keyctl";
	case SYS_add_key:
		return "add_key";
	case SYS_setresuid:
		return "setresuid";
	case SYS_setresgid:
		return "setresgid";
	case SYS_flock:
		return "flock";
	default: /* setfsuid(2) has no error */
		return NULL;
	}
}

long syscall(long number, ...)
{
	long a[6];
	va_list rest;
	const char *name = name_of(number);

	va_start(rest, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(rest, long);
	va_end(rest);
	if (name && is_refused(__builtin_return_address(0), name, number == SYS_keyctl ? a[0] : -1)) {
		errno = code;
		return -1;
	}
	return NEXT(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* Only syscalls.keep_credentials() maps such a page. */
void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
	if (length == 1 && protection == PROT_NONE && flags & MAP_SHARED && REFUSED("mmap")) {
		errno = code;
		return MAP_FAILED;
	}
	return NEXT(mmap)(address, length, protection, flags, fd, offset);
}

int munmap(void *address, size_t length)
{
	if (length == 1 && REFUSED("munmap")) {
		errno = code;
		return -1;
	}
	return NEXT(munmap)(address, length);
}

int pam_get_item(const pam_handle_t *pamh, int item, const void **found)
{
	return REFUSED("pam_get_item") ? code : NEXT(pam_get_item)(pamh, item, found);
}

int pam_get_user(pam_handle_t *pamh, const char **user, const char *prompt)
{
	return REFUSED("pam_get_user") ? code : NEXT(pam_get_user)(pamh, user, prompt);
}

int pam_get_data(const pam_handle_t *pamh, const char *name, const void **data)
{
	return REFUSED("pam_get_data") ? code : NEXT(pam_get_data)(pamh, name, data);
}

int pam_set_data(pam_handle_t *pamh, const char *name, void *data,
		 void (*cleanup)(pam_handle_t *pamh, void *data, int status))
{
	return REFUSED("pam_set_data") ? code : NEXT(pam_set_data)(pamh, name, data, cleanup);
}
