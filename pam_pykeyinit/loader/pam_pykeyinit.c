/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pam_pykeyinit.so: runs the service functions of pam_pykeyinit/module.py.
 *
 * It is loaded into set-user-ID programs, programs with threads, and programs that are
 * Python themselves.  So the interpreter takes nothing from its surroundings; it is started
 * once a process and never ended (the linker's -z nodelete keeps this code in memory, too);
 * the GIL is taken around every call; and what we know of a PAM handle is kept in it.
 *
 * No path through this file returns what a handler did not return, save an error.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <syslog.h>
#include <unistd.h>

#include "trust.h"

#if PY_VERSION_HEX >= 0x030d0000
#define _Py_IsFinalizing Py_IsFinalizing /* it became public */
#endif

#if __GLIBC_PREREQ(2, 32)
#include <sys/single_threaded.h>
#else
#define __libc_single_threaded 0 /* nobody knows */
#endif

/*
 * All that we use of Python.  It is looked up when it is first needed and not linked: the
 * dynamic linker would bind it to whatever Python it finds first in the program, of any
 * version.  For the same reason the macros of Python.h that hide a symbol are not used.
 */
#define PYTHON(X) \
	X(PyByteArray_AsString) X(PyByteArray_Type) X(PyBytes_AsString) X(PyBytes_Type) X(PyCMethod_New) \
	X(PyCapsule_GetPointer) X(PyCapsule_New) X(PyConfig_Clear) X(PyConfig_InitIsolatedConfig) \
	X(PyConfig_SetString) X(PyDict_SetItemString) X(PyErr_Clear) X(PyErr_Fetch) \
	X(PyErr_NormalizeException) X(PyEval_RestoreThread) X(PyEval_SaveThread) X(PyGILState_Ensure) \
	X(PyGILState_Release) X(PyImport_AddModule) X(PyImport_GetModuleDict) X(PyImport_ImportModule) \
	X(PyInterpreterState_Get) X(PyInterpreterState_Main) X(PyList_Append) X(PyLong_AsLong) \
	X(PyLong_FromLong) X(PyLong_Type) X(PyModule_Create2) X(PyOS_AfterFork_Child) \
	X(PyOS_AfterFork_Parent) X(PyOS_BeforeFork) X(PyObject_ASCII) X(PyObject_CallFunction) \
	X(PyObject_CallMethod) X(PyObject_GetAttrString) X(PyObject_SetAttrString) \
	X(PyPreConfig_InitIsolatedConfig) X(PyStatus_Exception) X(PyUnicode_AsUTF8) \
	X(PyUnicode_DecodeUTF8) X(PyWideStringList_Append) X(Py_AtExit) X(Py_BuildValue) X(Py_DecRef) \
	X(Py_GetVersion) X(Py_InitializeFromConfig) X(Py_IsInitialized) X(Py_PreInitialize) \
	X(_Py_IsFinalizing)
#define MEMBER(name) __typeof__(name) *name;
#define STRING(name) EXPANDED(name) /* what is a macro since 3.13 is looked up as what it is */
#define EXPANDED(name) #name,
static struct { PYTHON(MEMBER) } py;
static const char *const names[] = { PYTHON(STRING) };

/* The name is not the package's own: a program that has imported that one keeps it. */
#define PACKAGE "_pam_pykeyinit"

static pthread_mutex_t starting = PTHREAD_MUTEX_INITIALIZER; /* never waited for with the GIL */
static atomic_int ready;    /* py is filled in and the interpreter runs */
static atomic_int ended;    /* the program has ended the interpreter */
static int ours;            /* we started it */
static PyObject *new_state;      /* native.State, which makes what a PAM handle keeps */

/* ---- libc.py's functions, without ctypes: it would need a second library of libffi's ---- */

static PyObject *result(long value)
{
	return py.PyLong_FromLong(value == -1 ? -errno : value);
}

static PyObject *libc_single_threaded(PyObject *self, PyObject *none)
{
	return py.PyLong_FromLong(__libc_single_threaded);
}

static PyObject *libc_map_page(PyObject *self, PyObject *none)
{
	return result((long)mmap(NULL, 1, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
}

static PyObject *libc_unmap_page(PyObject *self, PyObject *address)
{
	return result(munmap((void *)py.PyLong_AsLong(address), 1));
}

/* The GIL is kept: none of these calls sleeps, and no other thread may see us half done. */
static PyObject *libc_syscall(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
	long a[6] = {0};

	for (Py_ssize_t i = 0; i < count && i < 6; i++)
		if (Py_TYPE(args[i]) == py.PyLong_Type)
			a[i] = py.PyLong_AsLong(args[i]);
		else if (Py_TYPE(args[i]) == py.PyBytes_Type)
			a[i] = (long)py.PyBytes_AsString(args[i]);
		else if (Py_TYPE(args[i]) == py.PyByteArray_Type) /* written into */
			a[i] = (long)py.PyByteArray_AsString(args[i]);
	return result(syscall(a[0], a[1], a[2], a[3], a[4], a[5]));
}

static PyObject *libc_syslog(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
	int priority = py.PyLong_AsLong(args[0]);
	const char *line = py.PyBytes_AsString(args[1]);
	PyThreadState *released = py.PyEval_SaveThread(); /* the log may make us wait */
	syslog(priority, "%s", line);
	py.PyEval_RestoreThread(released);
	return py.PyLong_FromLong(0);
}

static PyMethodDef libc_functions[] = {
	{"map_page", libc_map_page, METH_NOARGS, NULL},
	{"single_threaded", libc_single_threaded, METH_NOARGS, NULL},
	{"syscall", (PyCFunction)(void *)libc_syscall, METH_FASTCALL, NULL},
	{"syslog", (PyCFunction)(void *)libc_syslog, METH_FASTCALL, NULL},
	{"unmap_page", libc_unmap_page, METH_O, NULL},
	{NULL, NULL, 0, NULL},
};
static PyModuleDef libc_module = {
	PyModuleDef_HEAD_INIT, PACKAGE ".libc", NULL, -1, libc_functions, NULL, NULL, NULL, NULL,
};

/* PAM's strings are whatever somebody typed. */
static PyObject *text(const char *bytes)
{
	return py.PyUnicode_DecodeUTF8(bytes, strlen(bytes), "surrogateescape");
}

/* Ask PAM for an item by its number, or for the user with a prompt: a string, or a pair of
   PAM's code and its words. */
static PyObject *ask(PyObject *capsule, PyObject *what)
{
	pam_handle_t *pamh = py.PyCapsule_GetPointer(capsule, NULL);
	const void *found = NULL;
	int code;

	if (Py_TYPE(what) == py.PyLong_Type) {
		code = pam_get_item(pamh, py.PyLong_AsLong(what), &found);
	} else {
		const char *prompt = py.PyUnicode_AsUTF8(what);
		PyThreadState *released = py.PyEval_SaveThread(); /* a conversation takes its time */
		code = pam_get_user(pamh, (const char **)&found, prompt);
		py.PyEval_RestoreThread(released);
	}
	if (code != PAM_SUCCESS)
		return py.Py_BuildValue("(is)", code, pam_strerror(pamh, code));
	return text(found ? found : "");
}
static PyMethodDef ask_function = {"ask", ask, METH_O, NULL};

/* ---- find Python, or start it ---- */

static void at_exit(void)
{
	ended = 1;
}

/* Start an interpreter that takes nothing from its surroundings, and let go of its GIL. */
static const char *start_python(void)
{
	PyPreConfig before;
	PyConfig config;
	PyStatus status;

	py.PyPreConfig_InitIsolatedConfig(&before);
	before.utf8_mode = 1; /* the locale is the program's, and is left alone */
	status = py.Py_PreInitialize(&before);
	if (py.PyStatus_Exception(status))
		return status.err_msg;
	py.PyConfig_InitIsolatedConfig(&config);
	config.site_import = 0;
	config.write_bytecode = 0;
	config.install_signal_handlers = 0;
	config.module_search_paths_set = 1;
	/* All of these, or what is left out is searched for. */
	const struct { wchar_t **field; const wchar_t *value; } paths[] = {
		{&config.program_name, L"" PYTHON_PROGRAM}, {&config.executable, L"" PYTHON_PROGRAM},
		{&config.base_executable, L"" PYTHON_PROGRAM}, {&config.home, L"" PYTHON_HOME},
		{&config.prefix, L"" PYTHON_HOME}, {&config.base_prefix, L"" PYTHON_HOME},
		{&config.exec_prefix, L"" PYTHON_HOME}, {&config.base_exec_prefix, L"" PYTHON_HOME},
#if PY_VERSION_HEX >= 0x030b0000
		{&config.stdlib_dir, L"" PYTHON_STDLIB},
#endif
	};
	status = py.PyWideStringList_Append(&config.module_search_paths, L"" PYTHON_STDLIB);
	for (size_t i = 0; i < sizeof paths / sizeof *paths && !py.PyStatus_Exception(status); i++)
		status = py.PyConfig_SetString(&config, paths[i].field, paths[i].value);
	if (!py.PyStatus_Exception(status))
		status = py.Py_InitializeFromConfig(&config);
	py.PyConfig_Clear(&config);
	if (py.PyStatus_Exception(status))
		return status.err_msg ? status.err_msg : "it ended itself";
	py.PyEval_SaveThread();
	return NULL;
}

/* Fill in py.  A Python that is in the program already is used if it can be, or nothing is:
   no program survives two that share their symbols.  Returns what is wrong. */
static const char *find_python(void)
{
	void *from = RTLD_DEFAULT, **slot = (void **)&py;
	const char *wanted = "no Python of the version that this was built for";
	static const char *broken; /* why our Python did not start: it cannot be started twice */

	if (broken)
		return broken;
	if (dlsym(from, "Py_GetVersion") == NULL) {
		from = dlopen(PYTHON_LIBRARY, RTLD_NOW | RTLD_NOLOAD);
		ours = from == NULL;
		if (ours) /* local: nothing else in the program is to find it */
			from = dlopen(PYTHON_LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
		if (from == NULL)
			return dlerror();
	}
	*(void **)&py.Py_GetVersion = dlsym(from, "Py_GetVersion");
	if (strncmp(py.Py_GetVersion(), PYTHON_VERSION ".", strlen(PYTHON_VERSION ".")) ||
	    strstr(py.Py_GetVersion(), "free-threading"))
		return ours ? wanted : "the program runs another version of Python";
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if ((slot[i] = dlsym(from, names[i])) == NULL)
			return wanted;
	if (ours)
		return broken = start_python();
	return py.Py_IsInitialized() ? NULL : "the program has a Python that is not running";
}

/* Python runs, and may be called.  Otherwise one line says why not. */
static int is_running(pam_handle_t *pamh)
{
	const char *wrong = NULL;
	int trusted = 1;

	if (!ready) {
		pthread_mutex_lock(&starting);
		if (!ready && (trusted = is_trusted(pamh, PACKAGE_FOLDER)) && !(wrong = find_python()))
			ready = !py.Py_AtExit(at_exit);
		pthread_mutex_unlock(&starting);
	}
	if (trusted && !wrong && (!ready || ended || py._Py_IsFinalizing()))
		wrong = "the program has ended it";
	if (wrong)
		pam_syslog(pamh, LOG_ERR, "cannot use Python: %s", wrong);
	return trusted && !wrong;
}

/*
 * Take the GIL.  A thread that Python has not seen before is entered in its list on the way,
 * under a lock that a forked child would find locked for ever: no fork while that is done.
 * In a program that is Python this is its own concern, and the lock could be its undoing.
 */
static PyGILState_STATE take_gil(void)
{
	if (ours)
		pthread_mutex_lock(&starting);
	PyGILState_STATE gil = py.PyGILState_Ensure();
	if (ours)
		pthread_mutex_unlock(&starting);
	return gil;
}

/* A program that we started Python in knows nothing of it when it forks. */
static int forking; /* this and the next belong to who holds `starting` */
static PyGILState_STATE forking_gil;

static void before_fork(void)
{
	pthread_mutex_lock(&starting);
	forking = ours && ready && !ended;
	if (forking) {
		forking_gil = py.PyGILState_Ensure(); /* so that no thread is in the middle of Python */
		py.PyOS_BeforeFork();
	}
}

static void after_fork_parent(void)
{
	if (forking) {
		py.PyOS_AfterFork_Parent();
		py.PyGILState_Release(forking_gil);
	}
	pthread_mutex_unlock(&starting);
}

/* This thread is the only one now, and its entry in Python's list has to stay: Python cannot
   begin the list anew, and PyGILState_Release might take the entry out. */
static void after_fork_child(void)
{
	if (forking) {
		py.PyOS_AfterFork_Child();
		if (forking_gil == PyGILState_UNLOCKED)
			py.PyEval_SaveThread();
	}
	pthread_mutex_unlock(&starting);
}

__attribute__((constructor)) static void loaded(void)
{
	pthread_atfork(before_fork, after_fork_parent, after_fork_child);
}

/* ---- with the GIL ---- */

/* One line for the exception that Python has raised, in ASCII and escaped; its end. */
static void complain(pam_handle_t *pamh, const char *what)
{
	PyObject *type = NULL, *error = NULL, *trace = NULL, *words = NULL;
	const char *why = "libpam does not keep our state"; /* if Python has raised nothing */

	py.PyErr_Fetch(&type, &error, &trace);
	py.PyErr_NormalizeException(&type, &error, &trace);
	py.Py_DecRef(type);
	py.Py_DecRef(trace);
	if (error) {
		words = py.PyObject_ASCII(error);
		why = words ? py.PyUnicode_AsUTF8(words) : Py_TYPE(error)->tp_name;
	}
	pam_syslog(pamh, LOG_ERR, "%s: %s", what, why);
	py.PyErr_Clear();
	py.Py_DecRef(words);
	py.Py_DecRef(error);
}

/* Import our code: from its folder, whatever sys.path and the program's modules are. */
static int load(void)
{
	PyObject *package = py.PyImport_AddModule(PACKAGE), *native = NULL;
	PyObject *sys = py.PyImport_ImportModule("sys");
	/* What Python saw in the folder when an earlier try failed is to be seen anew. */
	PyObject *seen = sys ? py.PyObject_GetAttrString(sys, "path_importer_cache") : NULL;
	PyObject *forgotten = seen ? py.PyObject_CallMethod(seen, "pop", "ss", PACKAGE_FOLDER, "") : NULL;
	PyObject *path = py.Py_BuildValue("[s]", PACKAGE_FOLDER);
	PyObject *libc = py.PyModule_Create2(&libc_module, PYTHON_API_VERSION);

	if (forgotten && package && path && libc && !py.PyObject_SetAttrString(package, "__path__", path) &&
	    !py.PyDict_SetItemString(py.PyImport_GetModuleDict(), PACKAGE ".libc", libc))
		native = py.PyImport_ImportModule(PACKAGE ".native");
	if (native)
		new_state = py.PyObject_GetAttrString(native, "State");
	py.Py_DecRef(sys);
	py.Py_DecRef(seen);
	py.Py_DecRef(forgotten);
	py.Py_DecRef(path);
	py.Py_DecRef(libc);
	py.Py_DecRef(native);
	return new_state != NULL;
}

/* libpam calls it at pam_end, in forked children too. */
static void forget(pam_handle_t *pamh, void *state, int status)
{
	if (ended || py._Py_IsFinalizing())
		return;
	PyGILState_STATE gil = take_gil();
	PyObject *done = py.PyObject_CallMethod(state, "end", NULL);
	if (done == NULL)
		complain(pamh, "pam_sm_end");
	py.Py_DecRef(done);
	py.Py_DecRef(state);
	py.PyGILState_Release(gil);
}

/* What we know of this PAM handle; made when it is first seen. */
static PyObject *state_of(pam_handle_t *pamh)
{
	const void *known;
	PyObject *capsule, *asking = NULL, *state = NULL;
	int code = pam_get_data(pamh, PACKAGE, &known);

	if (code == PAM_SUCCESS)
		return (PyObject *)known;
	if (code != PAM_NO_MODULE_DATA) /* there may be some: a new one would hide it */
		return NULL;
	if (new_state == NULL && !load())
		return NULL;
	capsule = py.PyCapsule_New(pamh, NULL, NULL);
	if (capsule)
		asking = py.PyCMethod_New(&ask_function, capsule, NULL, NULL);
	if (asking)
		state = py.PyObject_CallFunction(new_state, "O", asking);
	if (state && pam_set_data(pamh, PACKAGE, state, forget) != PAM_SUCCESS) {
		py.Py_DecRef(state);
		state = NULL;
	}
	py.Py_DecRef(capsule);
	py.Py_DecRef(asking);
	return state;
}

/* The words of the PAM line, after the name of the module as pam_python gives it. */
static PyObject *list_of(int argc, const char **argv)
{
	PyObject *list = py.Py_BuildValue("[s]", "pam_pykeyinit.so");

	for (int i = 0; list && i < argc; i++) {
		PyObject *word = text(argv[i]);
		if (word == NULL || py.PyList_Append(list, word)) {
			py.Py_DecRef(list);
			list = NULL;
		}
		py.Py_DecRef(word);
	}
	return list;
}

/* Call a handler; its answer, or -1 after a line in the log. */
static long ask_python(pam_handle_t *pamh, const char *handler, int flags, int argc, const char **argv)
{
	PyObject *answer = NULL, *state = state_of(pamh);
	long code = -1;

	if (state)
		answer = py.PyObject_CallMethod(state, "call", "siN", handler, flags, list_of(argc, argv));
	if (answer == NULL) {
		complain(pamh, handler);
		return -1;
	}
	if (Py_TYPE(answer) == py.PyLong_Type) /* not True, which is an int as well */
		code = py.PyLong_AsLong(answer);
	py.PyErr_Clear();
	py.Py_DecRef(answer);
	if (code >= 0 && code < _PAM_RETURN_VALUES)
		return code;
	pam_syslog(pamh, LOG_ERR, "%s: the answer is not a PAM code", handler);
	return -1;
}

static int call(pam_handle_t *pamh, const char *handler, int error, int flags, int argc, const char **argv)
{
	long code = -1;

	if (!is_running(pamh))
		return error;
	PyGILState_STATE gil = take_gil();
	if (py.PyInterpreterState_Get() == py.PyInterpreterState_Main())
		code = ask_python(pamh, handler, flags, argc, argv);
	else
		pam_syslog(pamh, LOG_ERR, "%s: called from a sub-interpreter", handler);
	py.PyGILState_Release(gil);
	return code < 0 ? error : code;
}

#define SERVICE_FUNCTION(name, error) \
	__attribute__((visibility("default"))) \
	int name(pam_handle_t *pamh, int flags, int argc, const char **argv) \
	{ \
		return call(pamh, #name, error, flags, argc, argv); \
	}
SERVICE_FUNCTION(pam_sm_authenticate, PAM_SERVICE_ERR)
SERVICE_FUNCTION(pam_sm_setcred, PAM_CRED_ERR)
SERVICE_FUNCTION(pam_sm_acct_mgmt, PAM_SERVICE_ERR)
SERVICE_FUNCTION(pam_sm_open_session, PAM_SESSION_ERR)
SERVICE_FUNCTION(pam_sm_close_session, PAM_SESSION_ERR)
SERVICE_FUNCTION(pam_sm_chauthtok, PAM_SERVICE_ERR)
