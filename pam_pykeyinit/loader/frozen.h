/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Import our modules, which are frozen into the loader, and modules that are built into Python. */
#ifndef PAM_PYKEYINIT_FROZEN_H
#define PAM_PYKEYINIT_FROZEN_H

#include "cpython.h"

/* Install the import function.  Returns -1 with an exception if that failed. */
int frozen_install(void);

/* Import a module of the package by its name in it; a borrowed reference, or NULL with an
   exception. */
PyObject *frozen_module(const char *name);

/* No fork while a thread imports: called without the GIL, before it and on both sides of it. */
void frozen_before_fork(void);
void frozen_after_fork_parent(void);
void frozen_after_fork_child(void);

#endif
