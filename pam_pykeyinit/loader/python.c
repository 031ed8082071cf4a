/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pam_pykeyinit_python.so: calls the handlers of pam_pykeyinit/module.py.  The state of a
 * PAM handle is kept in the handle; a process has one interpreter (interpreter.c).
 *
 * Every path through this file returns the result of a handler, or a failure.
 */
#include "cpython.h"

#include <elf.h>
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <syslog.h>

#include "call.h"
#include "frozen.h"
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

#define DATA "pam_pykeyinit"

/* The Python exception as one escaped line of ASCII; returns its end. */
static void describe(char *line, size_t size, const char *what)
{
	PyObject *type = NULL, *error = NULL, *trace = NULL, *words = NULL;
	const char *why = "libpam does not keep our state"; /* if there is no Python exception */

	PyErr_Fetch(&type, &error, &trace);
	PyErr_NormalizeException(&type, &error, &trace);
	if (error) {
		words = PyObject_ASCII(error);
		why = words ? PyUnicode_AsUTF8(words) : Py_TYPE(error)->tp_name;
	}
	PyOS_snprintf(line, size, "%s: %s", what, why);
	PyErr_Clear();
	Py_XDECREF(words);
	Py_XDECREF(type);
	Py_XDECREF(error);
	Py_XDECREF(trace);
}

/* Ask PAM for an item by its number, or for the user with a prompt: a string, or a pair of
   PAM's code and its words. */
static PyObject *ask(PyObject *capsule, PyObject *what)
{
	pam_handle_t *pamh = PyCapsule_GetPointer(capsule, NULL);
	const void *found = NULL;
	int code;

	if (PyLong_Check(what)) {
		code = pam_get_item(pamh, PyLong_AsLong(what), &found);
	} else {
		const char *prompt = PyUnicode_AsUTF8(what);
		if (prompt == NULL)
			return NULL;
		Py_BEGIN_ALLOW_THREADS /* a conversation may take long */
		code = pam_get_user(pamh, (const char **)&found, prompt);
		Py_END_ALLOW_THREADS
	}
	if (code != PAM_SUCCESS)
		return Py_BuildValue("(is)", code, pam_strerror(pamh, code));
	return text_from(found ? found : "");
}
static PyMethodDef ask_function = {"ask", ask, METH_O, NULL};

/* libpam calls it at pam_end, also in forked children. */
static void forget(pam_handle_t *pamh, void *state, int status)
{
	PyGILState_STATE gil;
	char line[256];

	if (interpreter_enter(&gil))
		return;
	PyObject *done = PyObject_CallMethod(state, "end", NULL);
	if (done == NULL) {
		describe(line, sizeof line, "pam_sm_end");
		pam_syslog(pamh, LOG_ERR, "%s", line);
	}
	Py_XDECREF(done);
	Py_DECREF((PyObject *)state);
#if PY_VERSION_HEX >= 0x030a0000
	PyGC_Enable();
#endif
	interpreter_leave(gil);
}

static PyObject *new_state(pam_handle_t *pamh)
{
	PyObject *native = frozen_module("native"), *capsule, *asking = NULL, *state = NULL;

	if (native == NULL)
		return NULL;
	capsule = PyCapsule_New(pamh, NULL, NULL);
	if (capsule)
		asking = PyCFunction_New(&ask_function, capsule);
	if (asking)
		state = PyObject_CallMethod(native, "State", "O", asking);
	Py_XDECREF(capsule);
	Py_XDECREF(asking);
	return state;
}

/* The state of this PAM handle, created at the first call.  It belongs to the handle.
   NULL if it is not available, and whether it may exist nevertheless. */
static PyObject *state_of(pam_handle_t *pamh, int *may_exist)
{
	const void *known;
	PyObject *state;
	int code = pam_get_data(pamh, DATA, &known);

	if (code == PAM_SUCCESS)
		return (PyObject *)known;
	*may_exist = code != PAM_NO_MODULE_DATA; /* a new one would hide it */
	if (*may_exist)
		return NULL;
	state = new_state(pamh);
	if (state && pam_set_data(pamh, DATA, state, forget) != PAM_SUCCESS)
		Py_CLEAR(state);
	return state;
}

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

/* The names are interned, because CPython's cache of methods compares addresses. */
static PyObject *call_handler(PyObject *state, const struct call *call)
{
	PyObject *method = PyUnicode_InternFromString("call"), *answer = NULL;
	PyObject *arguments[] = {
		state,
		PyUnicode_InternFromString(call->handler),
		PyLong_FromLong(call->flags),
		list_of(call->argc, call->argv),
	};

	if (method && arguments[1] && arguments[2] && arguments[3])
		answer = PyObject_VectorcallMethod(method, arguments, 4, NULL);
	Py_XDECREF(method);
	for (int i = 1; i < 4; i++)
		Py_XDECREF(arguments[i]);
	return answer;
}

/* With the GIL. */
static int answer(struct call *call)
{
	PyObject *answer = NULL, *made = NULL, *state = state_of(call->pamh, &call->has_keyring);
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
	describe(call->failure, sizeof call->failure, call->handler);
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
