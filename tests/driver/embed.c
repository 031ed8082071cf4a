/*
 * embed LIBPYTHON CONFDIR SERVICE USER STEP...: a program with a Python of its own.
 *
 *   init, finalize    start and end the interpreter; "init" lets go of the GIL
 *   hold              "init" without letting go
 *   open, close       with a PAM handle that "open" starts; they print PAM's code
 *   end               pam_end
 *   idle              load the library, and nothing else
 */
#include "pamdrive.h"

#include <dlfcn.h>
#include <security/pam_appl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static pam_handle_t *start(char **argv)
{
	pam_handle_t *handle = NULL;

	return pam_start_confdir(argv[3], argv[4], &mute, argv[2], &handle) ? NULL : handle;
}

int main(int argc, char **argv)
{
	pam_handle_t *handle = NULL;
	void *state = NULL;
	void *python = argc > 5 ? dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL) : NULL;

	if (python == NULL)
		return 98;
	void (*init)(int) = (void (*)(int))dlsym(python, "Py_InitializeEx");
	void (*finalize)(void) = (void (*)(void))dlsym(python, "Py_Finalize");
	void *(*save)(void) = (void *(*)(void))dlsym(python, "PyEval_SaveThread");
	void (*restore)(void *) = (void (*)(void *))dlsym(python, "PyEval_RestoreThread");

	alarm(20);
	for (char **step = argv + 5; *step; step++) {
		if (!strcmp(*step, "init") || !strcmp(*step, "hold")) {
			init(0);
			state = strcmp(*step, "hold") ? save() : NULL;
		} else if (!strcmp(*step, "finalize")) {
			if (state)
				restore(state);
			state = NULL;
			finalize();
		} else if (!strcmp(*step, "open")) {
			handle = start(argv);
			printf("%d ", pam_open_session(handle, 0));
		} else if (!strcmp(*step, "close")) {
			printf("%d ", pam_close_session(handle, 0));
		} else if (!strcmp(*step, "end")) {
			printf("%d ", pam_end(handle, 0));
		}
	}
	return 0;
}
