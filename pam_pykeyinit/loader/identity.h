/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The module `identity`. */
#ifndef PAM_PYKEYINIT_IDENTITY_H
#define PAM_PYKEYINIT_IDENTITY_H

#include "cpython.h"

PyObject *identity_module(void);

#endif
