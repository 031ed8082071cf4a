/*
 * embed LIBPYTHON CONFDIR SERVICE USER STEP...: a program with a Python of its own.
 *
 *   load              load the library; each step that needs it does this too
 *   init, finalize    start and end the interpreter; "init" releases the GIL
 *   hold              "init" without the release
 *   sub, unsub        create and end a sub-interpreter: the current one, with the GIL held
 *   run               Python code, which must work
 *   open, close       with a PAM handle that "open" starts; they print PAM's code
 *   look              print the owner of the session keyring, or "revoked"
 *   end               pam_end; print its code
 */
#include "pamdrive.h"

#include <dlfcn.h>
#include <errno.h>
#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CODE "import sys, json; assert json.loads('[1]') == [1]"

static const char *path;
static void *before, *first; /* the released state; the state before "sub" */

static void *symbol(const char *name)
{
	static void *library;

	if (library == NULL && !(library = dlopen(path, RTLD_NOW | RTLD_GLOBAL))) {
		fprintf(stderr, "embed: %s\n", dlerror());
		exit(98);
	}
	return dlsym(library, name);
}

#define PYTHON(name, result, ...) ((result(*)(__VA_ARGS__))symbol(name))

static void let_go(void)
{
	before = PYTHON("PyEval_SaveThread", void *, void)();
}

static void take(void)
{
	if (before)
		PYTHON("PyEval_RestoreThread", void, void *)(before);
	before = NULL;
}

static int run(void)
{
	int had_none = before != NULL;

	take();
	int failed = PYTHON("PyRun_SimpleString", int, const char *)(CODE);
	if (had_none)
		let_go();
	return failed;
}

static void print_owner(void)
{
	char text[512];
	unsigned owner;

	if (keyctl(DESCRIBE, SESSION_KEYRING, text, sizeof text) > 0 &&
	    sscanf(text, "keyring;%u;", &owner) == 1)
		printf("%u ", owner);
	else
		printf("%s ", errno == EKEYREVOKED ? "revoked" : strerrorname_np(errno));
}

/* Whether the step was one of Python's. */
static int python(const char *step)
{
	if (!strcmp(step, "load")) {
		symbol("Py_Initialize");
	} else if (!strcmp(step, "init") || !strcmp(step, "hold")) {
		PYTHON("Py_InitializeEx", void, int)(0);
		if (!strcmp(step, "init"))
			let_go();
	} else if (!strcmp(step, "sub")) {
		take();
		first = PYTHON("PyThreadState_Get", void *, void)();
		if (PYTHON("Py_NewInterpreter", void *, void)() == NULL)
			exit(97);
	} else if (!strcmp(step, "unsub")) {
		PYTHON("Py_EndInterpreter", void, void *)
		(PYTHON("PyThreadState_Get", void *, void)());
		PYTHON("PyThreadState_Swap", void *, void *)(first);
	} else if (!strcmp(step, "run")) {
		if (run())
			exit(96);
	} else if (!strcmp(step, "finalize")) {
		take();
		PYTHON("Py_Finalize", void, void)();
	} else {
		return 0;
	}
	return 1;
}

int main(int argc, char **argv)
{
	pam_handle_t *handle = NULL;

	if (argc < 6)
		return 2;
	path = argv[1];
	alarm(20); /* a deadlock is a failure */
	for (char **step = argv + 5; *step; step++) {
		if (python(*step))
			continue;
		if (!strcmp(*step, "open")) {
			if (pam_start_confdir(argv[3], argv[4], &mute, argv[2], &handle))
				return 95;
			printf("%d ", pam_open_session(handle, 0));
		} else if (!strcmp(*step, "close")) {
			printf("%d ", pam_close_session(handle, 0));
		} else if (!strcmp(*step, "look")) {
			print_owner();
		} else if (!strcmp(*step, "end")) {
			printf("%d ", pam_end(handle, 0));
		} else {
			return 2;
		}
		fflush(stdout);
	}
	return 0;
}
