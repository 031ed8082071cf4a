/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interpreter is private: its symbols are hidden in this module, it uses nothing from
 * its environment, and it is independent of a Python in the program.  Only the core of CPython
 * is started, without importlib, codecs, io and signal handlers.
 */
#include "interpreter.h"

#include <pthread.h>
#include <stddef.h>
#include <sys/mman.h>

#include "frozen.h"

/*
 * The address space and private memory that starting and a session with all options need.
 * With too little memory CPython ends the process, or never returns, while it starts, so this
 * is checked before.
 */
#define RESERVE (8 << 20)

static pthread_mutex_t starting = PTHREAD_MUTEX_INITIALIZER; /* never wait for it with the GIL */
static int running;
static const char *broken; /* why it did not start; it cannot be started twice */

static int has_memory(void)
{
	void *reserve = mmap(NULL, RESERVE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return reserve != MAP_FAILED && !munmap(reserve, RESERVE);
}

#ifdef SHARED_LIBPYTHON
#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* The program may use the same library, or its symbols may be another Python's. */
static const char *objection(void)
{
	char expected[PATH_MAX], real[PATH_MAX];
	Dl_info found;

	if (!dladdr((void *)Py_GetVersion, &found) || !realpath(found.dli_fname, real) ||
	    !realpath(SHARED_LIBPYTHON, expected) || strcmp(real, expected))
		return "the program has another Python, and this build shares its symbols";
	if (Py_IsInitialized())
		return "the program runs this Python itself, and this build shares the library";
	return NULL;
}
#else
static const char *objection(void)
{
	return NULL;
}
#endif

static const char *start(void)
{
	PyPreConfig before;
	PyConfig config;
	PyStatus status;

	PyPreConfig_InitIsolatedConfig(&before);
	before.utf8_mode = 1; /* whatever the locale of the program, which stays as it is */
	status = Py_PreInitialize(&before);
	if (PyStatus_Exception(status))
		return status.err_msg;
	PyConfig_InitIsolatedConfig(&config);
	only_the_core(&config);
	config.site_import = 0;
	config.install_signal_handlers = 0;
	config.use_hash_seed = 1; /* an attacker chooses no keys of a dictionary here */
	config.module_search_paths_set = 1;
	status = Py_InitializeFromConfig(&config);
	PyConfig_Clear(&config);
	if (PyStatus_Exception(status))
		return status.err_msg ? status.err_msg : "it ended itself";
#if PY_VERSION_HEX >= 0x030a0000
	PyGC_Disable(); /* until a first handle ends: most processes have only one */
#endif
	if (frozen_install()) {
		PyErr_Clear();
		broken = "our modules cannot be imported";
	}
	PyEval_SaveThread();
	return broken;
}

/* Called with `starting`. */
static const char *prepare(void)
{
	if (broken || running)
		return broken;
	if (!has_memory())
		return "not enough memory"; /* there may be more next time */
	broken = objection();
	if (!broken)
		broken = start();
	running = !broken;
	return broken;
}

/*
 * A thread that Python has not seen before is entered in its list on the way, under a lock
 * that a forked child would find locked for ever: no fork while that is done.
 */
const char *interpreter_enter(PyGILState_STATE *gil)
{
	pthread_mutex_lock(&starting);
	const char *wrong = prepare();
	if (!wrong)
		*gil = PyGILState_Ensure();
	pthread_mutex_unlock(&starting);
	return wrong;
}

void interpreter_leave(PyGILState_STATE gil)
{
	PyGILState_Release(gil);
}

/* ---- forks: the program does not know this interpreter ---- */

static int forking; /* protected by `starting`, as the next one */
static PyGILState_STATE forking_gil;

static void before_fork(void)
{
	pthread_mutex_lock(&starting);
	forking = running;
	if (forking) {
		frozen_before_fork();
		forking_gil = PyGILState_Ensure(); /* so that no other thread runs Python */
		PyOS_BeforeFork();
	}
}

static void after_fork_parent(void)
{
	if (forking) {
		PyOS_AfterFork_Parent();
		PyGILState_Release(forking_gil);
		frozen_after_fork_parent();
	}
	pthread_mutex_unlock(&starting);
}

/* This thread is the only one now, and its entry in Python's list has to stay: Python cannot
   begin the list anew, and PyGILState_Release might take the entry out. */
static void after_fork_child(void)
{
	if (forking) {
		PyOS_AfterFork_Child();
		if (forking_gil == PyGILState_UNLOCKED)
			PyEval_SaveThread();
		frozen_after_fork_child();
	}
	pthread_mutex_unlock(&starting);
}

__attribute__((constructor)) static void loaded(void)
{
	pthread_atfork(before_fork, after_fork_parent, after_fork_child);
}
