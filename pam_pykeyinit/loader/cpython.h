/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The private Python, and every private name of CPython that the loader uses.
 *
 * Tested with CPython 3.9, 3.11, 3.13 and 3.14.  All of it is what CPython's own
 * Programs/_freeze_module.c does: that program also starts the core of an interpreter alone,
 * without importlib, to freeze modules.  So a CPython that lacks one of these cannot be built.
 *
 *   PyConfig._init_main          0: stop after the core; no codecs, no io, no signal handlers,
 *                                and file descriptors 0, 1 and 2 are not looked at
 *   PyConfig._install_importlib  0: no import from files; frozen.c has an __import__
 *
 * cpython.c has the tables of CPython that are replaced in the static build.
 */
#ifndef PAM_PYKEYINIT_CPYTHON_H
#define PAM_PYKEYINIT_CPYTHON_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#if PY_VERSION_HEX < 0x030a0000 /* 3.9 */
static inline PyObject *Py_NewRef(PyObject *object)
{
	Py_INCREF(object);
	return object;
}

static inline PyObject *Py_XNewRef(PyObject *object)
{
	Py_XINCREF(object);
	return object;
}
#endif

static inline void only_the_core(PyConfig *config)
{
	config->_init_main = 0;
	config->_install_importlib = 0;
#if PY_VERSION_HEX >= 0x030e0000
	config->remote_debug = 0; /* no debugger may attach to a login */
#endif
}

#endif
