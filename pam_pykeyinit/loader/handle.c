/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state of a PAM handle is an object of native.py, which is kept in the handle.  libpam ends
 * it at pam_end(3).
 */
#include "handle.h"

#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <syslog.h>

#include "exception.h"
#include "frozen.h"
#include "interpreter.h"
#include "libc.h"

#define DATA "pam_pykeyinit"

const char *const handler_names[] = {
	[SETCRED] = "pam_sm_setcred",
	[OPEN_SESSION] = "pam_sm_open_session",
	[CLOSE_SESSION] = "pam_sm_close_session",
	[END] = "pam_sm_end",
};

/* The names are interned, because CPython's cache of methods compares addresses, and kept, because
   every call needs one. */
PyObject *handle_call(PyObject *state, enum handler handler, PyObject *flags, PyObject *words)
{
	static PyObject *interned[sizeof handler_names / sizeof *handler_names];
	PyObject *arguments[] = {state, state, flags, words};

	if (interned[handler] == NULL)
		interned[handler] = PyUnicode_InternFromString(handler_names[handler]);
	if (interned[handler] == NULL)
		return NULL;
	return PyObject_VectorcallMethod(interned[handler], arguments, words ? 4 : 2, NULL);
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
	PyObject *done = handle_call(state, END, NULL, NULL);
	if (done == NULL) {
		exception_line(line, sizeof line, handler_names[END]);
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
	static PyObject *type;
	PyObject *capsule, *asking = NULL, *state = NULL;

	if (type == NULL) {
		PyObject *native = frozen_module("native");
		type = native ? PyObject_GetAttrString(native, "State") : NULL;
	}
	capsule = type ? PyCapsule_New(pamh, NULL, NULL) : NULL;
	if (capsule)
		asking = PyCFunction_New(&ask_function, capsule);
	if (asking)
		state = PyObject_CallOneArg(type, asking);
	Py_XDECREF(capsule);
	Py_XDECREF(asking);
	return state;
}

PyObject *handle_state(pam_handle_t *pamh, int *may_exist)
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
