/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PAM_PYKEYINIT_EXCEPTION_H
#define PAM_PYKEYINIT_EXCEPTION_H

#include "cpython.h"

/* Write what was done and the Python exception, which is cleared, as one escaped line of ASCII. */
void exception_line(char *line, size_t size, const char *what);

#endif
