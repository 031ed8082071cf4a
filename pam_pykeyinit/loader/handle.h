/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PAM_PYKEYINIT_HANDLE_H
#define PAM_PYKEYINIT_HANDLE_H

#include "call.h"
#include "cpython.h"

extern const char *const handler_names[];

/* The state of this PAM handle, created at the first call; a borrowed reference.  NULL if it is not
   available, with an exception if Python has one, and whether it may exist nevertheless. */
PyObject *handle_state(pam_handle_t *pamh, int *may_exist);

/* Call a handler of the state, which also stands for the PAM handle. */
PyObject *handle_call(PyObject *state, enum handler handler, PyObject *flags, PyObject *words);

#endif
