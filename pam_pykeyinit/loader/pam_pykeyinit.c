/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pam_pykeyinit.so: the service functions.  Python creates and ends keyrings; it
 * is in a separate file, pam_pykeyinit_python.so.
 *
 * There are two files because the caller of a set-user-ID program can limit its memory.  libpam
 * skips a module that does not fit, even with `force`.  This file always fits.  If the other
 * one does not, floor.c does what is necessary.
 */
#include <dlfcn.h>
#include <limits.h>
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "call.h"
#include "floor.h"

#define PYTHON_FILE "pam_pykeyinit_python.so"
#define STRING(name) EXPANDED(name)
#define EXPANDED(name) #name

static int (*answer)(struct call *call);
static char why_not[512]; /* there is no answer */

/*
 * When libpam opens this file, and not later: a program that changes its
 * root folder before it opens the session must not find another file by the same name.
 *
 * Both files then stay in memory.  If that fails, libpam unloads this one at pam_end(3), so
 * that the next handle tries again.
 */
__attribute__((constructor)) static void loaded(void)
{
	char path[PATH_MAX] = "";
	Dl_info self;
	void *python;
	const char *slash = dladdr((void *)loaded, &self) ? strrchr(self.dli_fname, '/') : NULL;

	if (slash)
		snprintf(path, sizeof path, "%.*s" PYTHON_FILE, (int)(slash + 1 - self.dli_fname), self.dli_fname);
	python = slash ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
	if (python)
		*(void **)&answer = dlsym(python, STRING(ANSWER));
	if (answer)
		dlopen(self.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
	else
		snprintf(why_not, sizeof why_not, "cannot load Python: %s", slash ? dlerror() : PYTHON_FILE);
}

static int has_word(const struct call *call, const char *word)
{
	for (int i = 0; i < call->argc; i++)
		if (!strcmp(call->argv[i], word))
			return 1;
	return 0;
}

static int run(struct call *call, int error, int makes_keyring)
{
	const char *consequence = "";
	int code = answer ? answer(call) : -1;

	if (code >= 0)
		return code;
	if (makes_keyring && !call->has_keyring && has_word(call, "force"))
		consequence = floor_session(call->pamh);
	pam_syslog(call->pamh, LOG_ERR, "%s%s%s", answer ? call->failure : why_not,
		   *consequence ? "; " : "", consequence);
	return error;
}

#define SERVICE_FUNCTION(name) \
	__attribute__((visibility("default"))) \
	int name(pam_handle_t *pamh, int flags, int argc, const char **argv)

#define CALL(name) {.pamh = pamh, .handler = (name), .flags = flags, .argc = argc, .argv = argv}

/* The auth line is for setcred: these do nothing. */
SERVICE_FUNCTION(pam_sm_authenticate)
{
	return PAM_IGNORE;
}

SERVICE_FUNCTION(pam_sm_acct_mgmt)
{
	return PAM_IGNORE;
}

SERVICE_FUNCTION(pam_sm_chauthtok)
{
	return PAM_IGNORE;
}

SERVICE_FUNCTION(pam_sm_setcred)
{
	struct call call = CALL(SETCRED);

	return run(&call, PAM_CRED_ERR, flags & PAM_ESTABLISH_CRED);
}

SERVICE_FUNCTION(pam_sm_open_session)
{
	struct call call = CALL(OPEN_SESSION);

	return run(&call, PAM_SESSION_ERR, 1);
}

SERVICE_FUNCTION(pam_sm_close_session)
{
	struct call call = CALL(CLOSE_SESSION);

	return run(&call, PAM_SESSION_ERR, 0);
}
