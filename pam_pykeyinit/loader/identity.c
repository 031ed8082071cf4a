/* SPDX-License-Identifier: GPL-2.0-or-later */
/* identity.py's functions in C (ids.c), for Python. */
#include "identity.h"

#include <errno.h>

#include "frozen.h"
#include "ids.h"
#include "later.h"
#include "libc.h"

struct call {
	PyObject *work, *answer;
};

static void call_python(void *data)
{
	struct call *call = data;

	call->answer = PyObject_CallNoArgs(call->work);
}

/* One of our exceptions, by its name; NULL with a Python exception if there is none. */
static PyObject *exception(const char *module, const char *name)
{
	PyObject *found = frozen_module(module);

	return found ? PyObject_GetAttrString(found, name) : NULL;
}

static void complain(const struct change *done)
{
	PyObject *type = exception("errors", "NotRestored");
	const uid_t *u = done->now.user, *g = done->now.group;
	const uid_t *user = done->before.user, *group = done->before.group;

	if (type == NULL)
		return;
	PyErr_Format(type,
		     "ids are (%u, %u, %u) (%u, %u, %u), must be (%u, %u, %u) (%u, %u, %u);"
		     " filesystem ids are %u %u, must be %u %u",
		     u[0], u[1], u[2], g[0], g[1], g[2], user[0], user[1], user[2],
		     group[0], group[1], group[2],
		     u[FILESYSTEM], g[FILESYSTEM], user[FILESYSTEM], group[FILESYSTEM]);
	Py_DECREF(type);
}

static void refuse(int wrong, const char *name)
{
	PyObject *type = exception("syscalls", "KernelError");
	PyObject *error = type ? PyObject_CallFunction(type, "is", wrong, name) : NULL;

	if (error)
		PyErr_SetObject(type, error);
	Py_XDECREF(type);
	Py_XDECREF(error);
}

static PyObject *run(struct change *wanted, PyObject *work)
{
	struct calls *calls = later_calls(work);
	struct call call = {work, NULL};
	int wrong = calls ? with_ids(wanted, later_make, calls) : with_ids(wanted, call_python, &call);

	if (calls && wrong <= 0)
		call.answer = later_results(work);
	if (wrong == 0)
		return call.answer;
	Py_XDECREF(call.answer);
	PyErr_Clear(); /* any other error matters less */
	if (wrong < 0)
		complain(wanted);
	else
		refuse(wrong, wanted->refused);
	return NULL;
}

/* An id that is none is the kernel's EINVAL: with -1 it would leave all as it is, and work()
   would be done as root. */
static PyObject *switched(enum slot slot, PyObject *const *args, Py_ssize_t count)
{
	struct change wanted = {.slot = slot};

	if (count != 3)
		return PyErr_Format(PyExc_TypeError, "a uid, a gid and what to call");
	if (id_from(args[0], &wanted.uid) || id_from(args[1], &wanted.gid)) {
		if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
			PyErr_Clear();
			refuse(EINVAL, "setresuid");
		}
		return NULL;
	}
	return run(&wanted, args[2]);
}

static PyObject *with_real_ids(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
	return switched(REAL, args, count);
}

static PyObject *with_effective_ids(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
	return switched(EFFECTIVE, args, count);
}

static PyObject *with_filesystem_uid(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
	struct change wanted = {.slot = FILESYSTEM};

	if (count != 2)
		return PyErr_Format(PyExc_TypeError, "a uid and what to call");
	return id_from(args[0], &wanted.uid) ? NULL : run(&wanted, args[1]);
}

static PyMethodDef functions[] = {
	{"with_effective_ids", (PyCFunction)(void *)with_effective_ids, METH_FASTCALL, NULL},
	{"with_filesystem_uid", (PyCFunction)(void *)with_filesystem_uid, METH_FASTCALL, NULL},
	{"with_real_ids", (PyCFunction)(void *)with_real_ids, METH_FASTCALL, NULL},
	{NULL, NULL, 0, NULL},
};
static PyModuleDef definition = {
	PyModuleDef_HEAD_INIT, "identity", NULL, -1, functions, NULL, NULL, NULL, NULL,
};

PyObject *identity_module(void)
{
	return PyModule_Create(&definition);
}
