/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libc.later(): system calls that are prepared now, and made later, perhaps with other ids. */
#ifndef PAM_PYKEYINIT_LATER_H
#define PAM_PYKEYINIT_LATER_H

#include "cpython.h"

struct calls;

/* later(results, *calls): a function that makes the calls, up to the first that is refused, and
   appends their results to the list. */
PyObject *later_function(PyObject *self, PyObject *what);

/* The calls of such a function, or NULL if it is another one. */
struct calls *later_calls(PyObject *function);

/* Make them.  This needs neither Python nor memory. */
void later_make(void *calls);

/* Append the results of later_make() to the list: None, or NULL with an exception. */
PyObject *later_results(PyObject *function);

#endif
