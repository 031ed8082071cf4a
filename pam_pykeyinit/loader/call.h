/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A request of pam_pykeyinit.so to pam_pykeyinit_python.so. */
#ifndef PAM_PYKEYINIT_CALL_H
#define PAM_PYKEYINIT_CALL_H

#include <security/pam_modules.h>

/* The methods of module.py's Handle; END is not for a call. */
enum handler { SETCRED, OPEN_SESSION, CLOSE_SESSION, END };

struct call {
	pam_handle_t *pamh;
	enum handler handler;
	int flags, argc;
	const char **argv;   /* the words of the PAM line */

	char failure[512];   /* why there is no answer, for the log */
	int has_keyring;     /* whether this handle has created one, if there is no answer */
};

/* The handler's answer, a PAM code; or -1 with a failure.  ANSWER is the build's: it has the
   version in its name, so that during an upgrade no file calls one of another version. */
int ANSWER(struct call *call);

#endif
