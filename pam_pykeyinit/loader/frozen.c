/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * import, without files.  The interpreter starts without importlib, so `__import__` is
 * ours: a relative import finds a frozen module of the package or one that is written in C
 * (libc.c, identity.c), an absolute one finds a module that is built into Python.  No path,
 * no environment variable and no sys.modules of another Python affects it.
 */
#include "frozen.h"

#include <marshal.h>
#include <pthread.h>
#include <string.h>

#include "identity.h"
#include "libc.h"

#define PACKAGE "pam_pykeyinit"

struct frozen_module {
	const char *name;
	const unsigned char *code; /* NULL: it is in the array of every login's modules */
	size_t size;
};
#include "frozen_modules.h"

#define COUNT (sizeof modules / sizeof *modules)

static PyObject *codes;   /* of every login's modules, by name, until they run */
static PyObject *package; /* its attributes are the modules that were imported */
static char complete[COUNT]; /* they have run to their end */
static pthread_mutex_t importing = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP; /* never wait for it with the GIL */

static PyObject *code_of(const struct frozen_module *frozen)
{
	PyObject *code;

	if (frozen->code)
		return PyMarshal_ReadObjectFromString((const char *)frozen->code, frozen->size);
	code = PyDict_GetItemString(codes, frozen->name);
	return code ? Py_NewRef(code) : PyErr_Format(PyExc_ImportError, "%s was run before", frozen->name);
}

static PyObject *run_code(size_t number)
{
	const struct frozen_module *frozen = &modules[number];
	PyObject *module = PyModule_New(frozen->name), *code = NULL, *done = NULL;
	PyObject *names = module ? PyModule_GetDict(module) : NULL;

	/* Before it runs, because modules may import each other. */
	if (names && !PyObject_SetAttrString(package, frozen->name, module) &&
	    !PyDict_SetItemString(names, "__builtins__", PyEval_GetBuiltins()))
		code = code_of(frozen);
	if (code)
		done = PyEval_EvalCode(code, names, names);
	if (module && !done) {
		PyObject *type, *error, *trace;

		PyErr_Fetch(&type, &error, &trace);
		if (PyObject_SetAttrString(package, frozen->name, NULL))
			PyErr_Clear();
		PyErr_Restore(type, error, trace);
	}
	Py_XDECREF(code);
	Py_XDECREF(module);
	if (!done)
		return NULL;
	complete[number] = 1;
	if (frozen->code == NULL && PyDict_DelItemString(codes, frozen->name))
		PyErr_Clear();
	Py_DECREF(done);
	return module;
}

static PyObject *known(const char *name)
{
	return PyDict_GetItemString(PyModule_GetDict(package), name);
}

/* A module that is being run is there already, for those that it imports; another thread must
   wait until it has been run. */
static PyObject *module_in_turn(size_t number)
{
	PyObject *module;

	Py_BEGIN_ALLOW_THREADS
	pthread_mutex_lock(&importing);
	Py_END_ALLOW_THREADS
	module = known(modules[number].name);
	if (module == NULL)
		module = run_code(number);
	pthread_mutex_unlock(&importing);
	return module;
}

PyObject *frozen_module(const char *name)
{
	for (size_t i = 0; i < COUNT; i++)
		if (!strcmp(modules[i].name, name))
			return complete[i] ? known(name) : module_in_turn(i);
	PyObject *module = known(name); /* one of those in C */
	return module ? module : PyErr_Format(PyExc_ImportError, "no module %s", name);
}

void frozen_before_fork(void)
{
	pthread_mutex_lock(&importing);
}

void frozen_after_fork_parent(void)
{
	pthread_mutex_unlock(&importing);
}

/* A recursive mutex identifies its owner by a thread id, which differs in the child. */
void frozen_after_fork_child(void)
{
	importing = (pthread_mutex_t)PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
}

/* A module with multi-phase initialisation (PEP 489) needs an object with a name. */
static PyObject *second_step(PyObject *def, const char *name)
{
	PyObject *like = PySys_GetObject("implementation"); /* of type SimpleNamespace */
	PyObject *spec = like ? PyObject_CallNoArgs((PyObject *)Py_TYPE(like)) : NULL;
	PyObject *text = spec ? PyUnicode_FromString(name) : NULL, *module = NULL;

	if (text && !PyObject_SetAttrString(spec, "name", text))
		module = PyModule_FromDefAndSpec((PyModuleDef *)def, spec);
	Py_XDECREF(text);
	Py_XDECREF(spec);
	if (module && PyModule_ExecDef(module, (PyModuleDef *)def))
		Py_CLEAR(module);
	return module;
}

static PyObject *built_in(const char *name)
{
	PyObject *known = PyImport_GetModuleDict(), *module = PyDict_GetItemString(known, name);

	if (module)
		return Py_NewRef(module);
	for (struct _inittab *entry = PyImport_Inittab; entry->name; entry++)
		if (!strcmp(entry->name, name) && entry->initfunc) {
			module = entry->initfunc();
			if (module && Py_TYPE(module) == &PyModuleDef_Type)
				module = second_step(module, name);
			if (module && PyDict_SetItemString(known, name, module))
				Py_CLEAR(module);
			return module;
		}
	return PyErr_Format(PyExc_ImportError, "no built-in module %s", name);
}

/* __import__(name, globals, locals, fromlist, level), as IMPORT_NAME calls it. */
static PyObject *import(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
	const char *name = count == 5 ? PyUnicode_AsUTF8(args[0]) : NULL;

	if (name == NULL)
		return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_ImportError, "not a statement");
	if (PyLong_AsLong(args[4]) == 0)
		return built_in(name);
	/* The package is flat here: the last name of a module is enough. */
	const char *dot = strrchr(name, '.');
	name = dot ? dot + 1 : name;
	if (*name && strcmp(name, "kernel") && strcmp(name, "policies"))
		return Py_XNewRef(frozen_module(name));
	for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args[3]); i++) { /* from .kernel import libc */
		const char *wanted = PyUnicode_AsUTF8(PyTuple_GET_ITEM(args[3], i));
		if (wanted == NULL || frozen_module(wanted) == NULL)
			return NULL;
	}
	return Py_NewRef(package);
}

static PyMethodDef import_function = {
	"__import__", (PyCFunction)(void *)import, METH_FASTCALL, NULL,
};

static int add(PyObject *module, const char *name)
{
	int failed = module == NULL || PyObject_SetAttrString(package, name, module);

	Py_XDECREF(module);
	return failed;
}

int frozen_install(void)
{
	PyObject *function = PyCFunction_New(&import_function, NULL);

	if (function && !PyDict_SetItemString(PyEval_GetBuiltins(), "__import__", function) &&
	    (package = PyModule_New(PACKAGE)) != NULL &&
	    (codes = PyMarshal_ReadObjectFromString((const char *)every_login, sizeof every_login)) != NULL &&
	    !add(libc_module(), "libc") && !add(identity_module(), "identity")) {
		Py_DECREF(function);
		return 0;
	}
	Py_XDECREF(function);
	return -1;
}
