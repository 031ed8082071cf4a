/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The functions of libc.py in C.  They need neither ctypes nor modules of CPython such as pwd,
 * which would take time in every login.
 */
#include "libc.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <syslog.h>
#include <unistd.h>

#include "later.h"

#if __GLIBC_PREREQ(2, 32)
#include <sys/single_threaded.h>
#else
#define __libc_single_threaded 0 /* unknown */
#endif

#define LARGEST_ENTRY (1 << 20) /* bytes of an entry of the user database; our own limit */

int id_from(PyObject *number, uid_t *id)
{
	unsigned long long value = PyLong_AsUnsignedLongLong(number); /* OverflowError if negative */

	if (PyErr_Occurred())
		return -1;
	if (value >= UINT32_MAX) {
		PyErr_Format(PyExc_OverflowError, "%llu is no user or group id", value);
		return -1;
	}
	*id = value;
	return 0;
}

PyObject *text_from(const char *bytes)
{
	return PyUnicode_DecodeUTF8(bytes, strlen(bytes), "surrogateescape");
}

static long or_errno(long value)
{
	return value == -1 ? -errno : value;
}

long system_call(const long a[ARGUMENTS])
{
	return or_errno(syscall(a[0], a[1], a[2], a[3], a[4], a[5]));
}

static PyObject *result(long value)
{
	return PyLong_FromLong(or_errno(value));
}

/* What syscall(2) takes is as wide as a long.  A number of 32 bits without a sign, such as a
   uid, fits there on 32-bit processors too, as the same 32 bits. */
static int argument_from(PyObject *object, long *argument)
{
	long long value;

	if (PyBytes_Check(object))
		*argument = (long)PyBytes_AS_STRING(object);
	else if (PyByteArray_Check(object)) /* the kernel writes into it */
		*argument = (long)PyByteArray_AS_STRING(object);
	else if (object == Py_None)
		*argument = 0;
	else {
		value = PyLong_AsLongLong(object);
		if (value == -1 && PyErr_Occurred())
			return -1;
		if (value < LONG_MIN || (sizeof(long) == 4 ? value > UINT32_MAX : value > LONG_MAX)) {
			PyErr_SetString(PyExc_OverflowError, "too large for a system call");
			return -1;
		}
		*argument = (long)value;
	}
	return 0;
}

int arguments_from(PyObject *const *objects, Py_ssize_t count, long arguments[ARGUMENTS])
{
	if (count < 1 || count > ARGUMENTS) {
		PyErr_Format(PyExc_TypeError, "a number and up to five arguments");
		return -1;
	}
	memset(arguments, 0, ARGUMENTS * sizeof *arguments);
	for (Py_ssize_t i = 0; i < count; i++)
		if (argument_from(objects[i], &arguments[i]))
			return -1;
	return 0;
}

/* Keep the GIL: no other thread may see this half done. */
static PyObject *libc_syscall(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
	long a[ARGUMENTS];

	if (arguments_from(args, count, a))
		return NULL;
	return PyLong_FromLong(system_call(a));
}

static PyObject *libc_syslog(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
	int priority;
	const char *line;

	if (count != 2 || !PyBytes_Check(args[1]))
		return PyErr_Format(PyExc_TypeError, "a priority and a line");
	priority = PyLong_AsLong(args[0]);
	if (priority == -1 && PyErr_Occurred())
		return NULL;
	line = PyBytes_AS_STRING(args[1]);
	Py_BEGIN_ALLOW_THREADS /* syslog may block */
	syslog(priority, "%s", line);
	Py_END_ALLOW_THREADS
	Py_RETURN_NONE;
}

static PyObject *libc_map_page(PyObject *self, PyObject *none)
{
	return result((long)mmap(NULL, 1, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
}

static PyObject *libc_unmap_page(PyObject *self, PyObject *address)
{
	long at;

	return argument_from(address, &at) ? NULL : result(munmap((void *)at, 1));
}

static PyObject *libc_single_threaded(PyObject *self, PyObject *none)
{
	return PyBool_FromLong(__libc_single_threaded);
}

static PyObject *libc_getpid(PyObject *self, PyObject *none)
{
	return PyLong_FromLong(getpid());
}

static PyObject *libc_effective_ids(PyObject *self, PyObject *none)
{
	return Py_BuildValue("(kk)", (unsigned long)geteuid(), (unsigned long)getegid());
}

static PyObject *libc_strerror(PyObject *self, PyObject *number)
{
	char space[256];
	int code = PyLong_AsLong(number);

	if (code == -1 && PyErr_Occurred())
		return NULL;
	return text_from(strerror_r(code, space, sizeof space)); /* the GNU version: it returns the text */
}

/* getpwnam_r(3) with as much space as it needs; returns an errno. */
static int look_up(const char *name, struct passwd *entry, struct passwd **found, char **space)
{
	int wrong = ERANGE;

	for (size_t size = 1024; wrong == ERANGE && size <= LARGEST_ENTRY; size *= 4) {
		char *larger = realloc(*space, size);
		if (larger == NULL)
			return ENOMEM;
		*space = larger;
		wrong = getpwnam_r(name, entry, larger, size, found);
	}
	return wrong;
}

static PyObject *libc_getpwnam(PyObject *self, PyObject *bytes)
{
	struct passwd entry, *found = NULL;
	char *space = NULL;
	const char *name;
	int wrong;

	if (!PyBytes_Check(bytes))
		return PyErr_Format(PyExc_TypeError, "the name is bytes");
	name = PyBytes_AS_STRING(bytes);
	Py_BEGIN_ALLOW_THREADS /* the user database may be on the network */
	wrong = look_up(name, &entry, &found, &space);
	Py_END_ALLOW_THREADS
	free(space);
	if (found)
		return Py_BuildValue("(kk)", (unsigned long)entry.pw_uid, (unsigned long)entry.pw_gid);
	/* The errors that mean "not found", getpwnam(3). */
	if (wrong == 0 || wrong == ENOENT || wrong == ESRCH || wrong == EBADF || wrong == EPERM)
		Py_RETURN_NONE;
	errno = wrong;
	return PyErr_SetFromErrno(PyExc_OSError);
}

static PyMethodDef functions[] = {
	{"effective_ids", libc_effective_ids, METH_NOARGS, NULL},
	{"getpid", libc_getpid, METH_NOARGS, NULL},
	{"getpwnam", libc_getpwnam, METH_O, NULL},
	{"later", later_function, METH_VARARGS, NULL},
	{"map_page", libc_map_page, METH_NOARGS, NULL},
	{"single_threaded", libc_single_threaded, METH_NOARGS, NULL},
	{"strerror", libc_strerror, METH_O, NULL},
	{"syscall", (PyCFunction)(void *)libc_syscall, METH_FASTCALL, NULL},
	{"syslog", (PyCFunction)(void *)libc_syslog, METH_FASTCALL, NULL},
	{"unmap_page", libc_unmap_page, METH_O, NULL},
	{NULL, NULL, 0, NULL},
};
static PyModuleDef definition = {
	PyModuleDef_HEAD_INIT, "libc", NULL, -1, functions, NULL, NULL, NULL, NULL,
};

PyObject *libc_module(void)
{
	return PyModule_Create(&definition);
}
