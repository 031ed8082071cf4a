/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Become another user for a moment.  This is C, and works without Python. */
#ifndef PAM_PYKEYINIT_IDS_H
#define PAM_PYKEYINIT_IDS_H

#include <sys/types.h>

enum slot { REAL, EFFECTIVE, SAVED, FILESYSTEM, SLOTS };

struct ids {
	uid_t user[SLOTS], group[SLOTS]; /* gid_t is the same 32 bits */
};

/* The wanted ids, and afterwards the ids that were found. */
struct change {
	enum slot slot; /* REAL or EFFECTIVE; FILESYSTEM, of the user alone */
	uid_t uid;
	gid_t gid;
	const char *refused; /* the call that the kernel refused */
	struct ids before, now;
};

/* Call work(data) with these ids in that slot.  Returns 0, or the errno of what was refused,
   and then `work` was not called; -1 where the ids could not be put back. */
int with_ids(struct change *wanted, void (*work)(void *), void *data);

#endif
