/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The interpreter: one for each process, started when it is first needed, and never ended. */
#ifndef PAM_PYKEYINIT_INTERPRETER_H
#define PAM_PYKEYINIT_INTERPRETER_H

#include "cpython.h"

/* Start it if it does not run, and take its GIL.  Returns NULL, or the reason of the failure. */
const char *interpreter_enter(PyGILState_STATE *gil);

void interpreter_leave(PyGILState_STATE gil);

#endif
