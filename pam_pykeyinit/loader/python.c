/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pam_pykeyinit_python.so: calls the handlers of pam_pykeyinit/module.py.  Each PAM handle has a
 * state (handle.c); a process has one interpreter (interpreter.c).
 *
 * Every path through this file returns the result of a handler, or a failure.
 */
#include "cpython.h"

#include <elf.h>
#include <string.h>

#include "call.h"
#include "exception.h"
#include "handle.h"
#include "interpreter.h"
#include "libc.h"

/* An ELF note with the version of the Python inside: readelf -n, pykeyinit-helper --version. */
#define OWNER "pam_pykeyinit"
#define INSIDE "Python " PY_VERSION LINKED_FROM
__attribute__((used, aligned(4), section(".note.pam_pykeyinit"))) static const struct {
	Elf32_Word name_size, size, type;
	_Alignas(4) char name[sizeof OWNER];
	_Alignas(4) char inside[sizeof INSIDE];
} note = {sizeof OWNER, sizeof INSIDE, 1, OWNER, INSIDE};

/* The words of the PAM line, after the name of the module as pam_python gives it. */
static PyObject *list_of(int argc, const char **argv)
{
	PyObject *list = Py_BuildValue("[s]", "pam_pykeyinit.so");

	for (int i = 0; list && i < argc; i++) {
		PyObject *word = text_from(argv[i]);
		if (word == NULL || PyList_Append(list, word))
			Py_CLEAR(list);
		Py_XDECREF(word);
	}
	return list;
}

static int is_list_of(PyObject *list, int argc, const char **argv)
{
	if (list == NULL || PyList_GET_SIZE(list) != argc + 1)
		return 0;
	for (int i = 0; i < argc; i++) {
		PyObject *word = PyList_GET_ITEM(list, i + 1);
		if (!PyUnicode_IS_ASCII(word) || strcmp(PyUnicode_DATA(word), argv[i]))
			return 0;
	}
	return 1;
}

static PyObject *call_handler(PyObject *state, const struct call *call)
{
	static PyObject *last; /* most calls of a process are for one line */
	PyObject *flags = PyLong_FromLong(call->flags), *words, *answer = NULL;

	if (!is_list_of(last, call->argc, call->argv))
		Py_XSETREF(last, list_of(call->argc, call->argv));
	words = Py_XNewRef(last);
	if (flags && words)
		answer = handle_call(state, call->handler, flags, words);
	Py_XDECREF(flags);
	Py_XDECREF(words);
	return answer;
}

/* With the GIL. */
static int answer(struct call *call)
{
	PyObject *answer = NULL, *made = NULL, *state = handle_state(call->pamh, &call->has_keyring);
	long code = -1;

	if (state)
		answer = call_handler(state, call);
	if (answer && Py_TYPE(answer) == &PyLong_Type) /* not True, which is also an int */
		code = PyLong_AsLong(answer);
	if (answer && !PyErr_Occurred() && code >= 0 && code < _PAM_RETURN_VALUES) {
		Py_DECREF(answer);
		return code;
	}
	if (answer && !PyErr_Occurred())
		PyErr_SetString(PyExc_TypeError, "the answer is not a PAM code");
	Py_XDECREF(answer);
	exception_line(call->failure, sizeof call->failure, handler_names[call->handler]);
	if (state) {
		made = PyObject_CallMethod(state, "has_keyring", NULL);
		call->has_keyring = made == Py_True;
		PyErr_Clear();
	}
	Py_XDECREF(made);
	return -1;
}

__attribute__((visibility("default"))) int ANSWER(struct call *call)
{
	PyGILState_STATE gil;
	const char *wrong = interpreter_enter(&gil);
	int code;

	if (wrong) {
		PyOS_snprintf(call->failure, sizeof call->failure, "cannot start Python: %s", wrong);
		return -1;
	}
	code = answer(call);
	interpreter_leave(gil);
	return code;
}
