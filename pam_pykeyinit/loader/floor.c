/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * With `force` the caller's session keyring must not stay: root would find the keys that a
 * caller of sudo has added to it.  So if the keyring cannot be created as intended, an empty one
 * is better than the caller's, whoever owns it.
 */
#include "floor.h"

#include <linux/keyctl.h>
#include <security/pam_ext.h>
#include <security/pam_modutil.h>
#include <pwd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ids.h"

static void join(void *joined)
{
	*(long *)joined = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
}

const char *floor_session(pam_handle_t *pamh)
{
	const char *name = NULL;
	const struct passwd *user = NULL;
	long joined = -1;

	if (pam_get_user(pamh, &name, NULL) == PAM_SUCCESS)
		user = pam_modutil_getpwnam(pamh, name);
	if (user) {
		struct change wanted = {.slot = REAL, .uid = user->pw_uid, .gid = user->pw_gid};
		with_ids(&wanted, join, &joined);
	}
	if (joined < 0) /* an empty keyring of the program is as safe */
		join(&joined);
	return joined < 0 ? "the caller's session keyring stays" :
			    "an empty session keyring replaces the caller's";
}
