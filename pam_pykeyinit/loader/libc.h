/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The module `libc`, and conversions that the other C modules share. */
#ifndef PAM_PYKEYINIT_LIBC_H
#define PAM_PYKEYINIT_LIBC_H

#include "cpython.h"

#include <sys/types.h>

PyObject *libc_module(void);

/* A user or group id, 0 to 2^32-2, out of a Python int: 0, or -1 with an exception.  uid_t and
   gid_t are the same 32 bits on Linux.  -1 is no id: set*id(2) take it as "leave it". */
int id_from(PyObject *number, uid_t *id);

#define ARGUMENTS 6 /* of syscall(2): a number, and five */

/* What syscall(2) takes, out of `count` objects: 0, or -1 with an exception.  They must be kept,
   because an argument may point into one. */
int arguments_from(PyObject *const *objects, Py_ssize_t count, long arguments[ARGUMENTS]);

/* syscall(2); an errno is negative. */
long system_call(const long arguments[ARGUMENTS]);

/* PAM's strings, users' names and libc's words are bytes; here they are text. */
PyObject *text_from(const char *bytes);

#endif
