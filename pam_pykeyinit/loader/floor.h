/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `force` if Python does not work. */
#ifndef PAM_PYKEYINIT_FLOOR_H
#define PAM_PYKEYINIT_FLOOR_H

#include <security/pam_modules.h>

/* Give this thread a new, empty session keyring, the user's if possible.
   Returns what became of it, in words for the log. */
const char *floor_session(pam_handle_t *pamh);

#endif
