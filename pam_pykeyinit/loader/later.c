/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process that has the real uid of a user can be stopped by this user.  So the system calls
 * that need the uid are prepared before, and the results become Python objects afterwards.
 */
#include "later.h"

#include "libc.h"

struct calls {
	Py_ssize_t count, made;
	struct {
		long arguments[ARGUMENTS], result; /* a negative one is an errno */
	} call[];
};

/* The function's own object is a tuple of these.  The arguments of later() are kept, because the
   calls may point into them. */
enum { GIVEN, CALLS };

static struct calls *calls_of(PyObject *own)
{
	return (struct calls *)PyBytes_AS_STRING(PyTuple_GET_ITEM(own, CALLS));
}

void later_make(void *prepared)
{
	struct calls *calls = prepared;
	long result = 0;

	for (calls->made = 0; calls->made < calls->count && result >= 0; calls->made++) {
		result = system_call(calls->call[calls->made].arguments);
		calls->call[calls->made].result = result;
	}
}

static PyObject *append(PyObject *own)
{
	PyObject *results = PyTuple_GET_ITEM(PyTuple_GET_ITEM(own, GIVEN), 0);
	const struct calls *calls = calls_of(own);

	for (Py_ssize_t i = 0; i < calls->made; i++) {
		PyObject *result = PyLong_FromLong(calls->call[i].result);
		int failed = result == NULL || PyList_Append(results, result);
		Py_XDECREF(result);
		if (failed)
			return NULL;
	}
	Py_RETURN_NONE;
}

static PyObject *make(PyObject *self, PyObject *none)
{
	later_make(calls_of(self));
	return append(self);
}
static PyMethodDef make_method = {"make", make, METH_NOARGS, NULL};

struct calls *later_calls(PyObject *function)
{
	if (!PyCFunction_Check(function) || PyCFunction_GET_FUNCTION(function) != make)
		return NULL;
	return calls_of(PyCFunction_GET_SELF(function));
}

PyObject *later_results(PyObject *function)
{
	return append(PyCFunction_GET_SELF(function));
}

static int prepare(struct calls *calls, PyObject *what)
{
	calls->made = 0; /* if the ids are refused, they are not made */
	calls->count = PyTuple_GET_SIZE(what) - 1;
	for (Py_ssize_t i = 0; i < calls->count; i++) {
		PyObject *call = PyTuple_GET_ITEM(what, i + 1);
		if (!PyTuple_Check(call)) {
			PyErr_SetString(PyExc_TypeError, "a call is a tuple");
			return -1;
		}
		if (arguments_from(&PyTuple_GET_ITEM(call, 0), PyTuple_GET_SIZE(call), calls->call[i].arguments))
			return -1;
	}
	return 0;
}

PyObject *later_function(PyObject *self, PyObject *what)
{
	Py_ssize_t count = PyTuple_GET_SIZE(what) - 1;
	PyObject *space, *own, *function;
	struct calls *calls;

	if (count < 0 || !PyList_Check(PyTuple_GET_ITEM(what, 0)))
		return PyErr_Format(PyExc_TypeError, "a list for the results, and a tuple for each call");
	space = PyBytes_FromStringAndSize(NULL, sizeof *calls + count * sizeof *calls->call);
	if (space == NULL)
		return NULL;
	calls = (struct calls *)PyBytes_AS_STRING(space);
	own = prepare(calls, what) ? NULL : PyTuple_Pack(2, what, space);
	Py_DECREF(space);
	function = own ? PyCFunction_New(&make_method, own) : NULL;
	Py_XDECREF(own);
	return function;
}
