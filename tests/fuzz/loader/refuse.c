/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Refuse calls of the module: these functions come before libpam's in the loader's symbol lookup,
 * and for the fuzzer the loader is compiled to call refusable_syscall() instead of syscall(),
 * because sanitizers also call syscall() on architectures without assembly for it, as i386.
 * Calls of libpam itself are not counted.
 */
#include "watch.h"

#include <dlfcn.h>
#include <errno.h>
#include <security/pam_modules.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef SYS_setfsuid32 /* there the plain one truncates an id to 16 bits, and is not called */
#undef SYS_setfsuid
#define SYS_setfsuid SYS_setfsuid32
#endif

static int left, with, was; /* the number of calls to wait, the code, and whether it happened */

void refuse(int calls_on, int number)
{
	left = calls_on;
	with = number;
	was &= calls_on > 0;
}

void refused_in_child(void)
{
	was |= left > 0;
}

int refused(void)
{
	return was;
}

static int is_refused(const void *caller)
{
	Dl_info in;

	if (left == 0 || !dladdr(caller, &in) || !strstr(in.dli_fname, "/pam_pykeyinit"))
		return 0;
	return --left == 0 && (was = 1);
}

#define REFUSED() is_refused(__builtin_return_address(0))
#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

long refusable_syscall(long number, ...);

long refusable_syscall(long number, ...)
{
	static const int errors[] = {EACCES, EAGAIN, EDEADLK, EDQUOT, EINTR, EKEYEXPIRED, EKEYREVOKED,
				     ENOKEY, ENOMEM, ENOSYS, EOPNOTSUPP, EPERM};
	long a[6];
	va_list rest;

	va_start(rest, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(rest, long);
	va_end(rest);
	if (number != SYS_setfsuid && REFUSED()) { /* that one has no error */
		errno = errors[with % (sizeof errors / sizeof *errors)];
		return -1;
	}
	return syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int pam_get_item(const pam_handle_t *pamh, int item, const void **found)
{
	return REFUSED() ? PAM_BUF_ERR : NEXT(pam_get_item)(pamh, item, found);
}

int pam_get_data(const pam_handle_t *pamh, const char *name, const void **data)
{
	return REFUSED() ? PAM_SYSTEM_ERR : NEXT(pam_get_data)(pamh, name, data);
}

int pam_set_data(pam_handle_t *pamh, const char *name, void *data,
		 void (*cleanup)(pam_handle_t *pamh, void *data, int status))
{
	return REFUSED() ? PAM_BUF_ERR : NEXT(pam_set_data)(pamh, name, data, cleanup);
}
