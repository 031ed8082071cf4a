/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TRUST_H
#define TRUST_H

#include <security/pam_modules.h>

/*
 * The folder, the folders above it, and all that is in it, are root's alone; a file may have
 * been given away on its own.  Otherwise one line in the log names what is not.
 */
int is_trusted(pam_handle_t *pamh, const char *folder);

#endif
