/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "exception.h"

void exception_line(char *line, size_t size, const char *what)
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
