/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables of CPython that the static build replaces, so that the linker leaves out what they
 * lead to: modules that no login needs, and CPython's own frozen standard library, which has
 * some 25,000 addresses that the dynamic linker would have to fill in at each start.
 */
#include "cpython.h"

extern PyObject *PyInit__imp(void);
extern PyObject *PyInit_errno(void);
extern PyObject *PyInit_posix(void);
extern PyObject *PyInit_time(void);

/* Python/import.c.  The modules that a login may import, besides ours; SECURITY.md lists them. */
struct _inittab _PyImport_Inittab[] = {
	{"_imp", PyInit__imp}, /* the core needs it if importlib is installed */
	{"builtins", NULL},
	{"errno", PyInit_errno},
	{"posix", PyInit_posix},
	{"sys", NULL},
	{"time", PyInit_time},
	{NULL, NULL},
};

static const struct _frozen nothing[] = {{0}};

#if PY_VERSION_HEX >= 0x030b0000
/* Include/internal/pycore_import.h */
struct _module_alias {
	const char *name;
	const char *orig;
};
static const struct _module_alias no_aliases[] = {{0}};

const struct _frozen *_PyImport_FrozenBootstrap = nothing;
const struct _frozen *_PyImport_FrozenStdlib = nothing;
const struct _frozen *_PyImport_FrozenTest = nothing;
const struct _module_alias *_PyImport_FrozenAliases = no_aliases;
const struct _frozen *PyImport_FrozenModules;
#else
const struct _frozen *PyImport_FrozenModules = nothing;
#endif

#if PY_VERSION_HEX >= 0x030b0000 && PY_VERSION_HEX < 0x030d0000
/* Python/deepfreeze: code objects as data, in 3.11 and 3.12.  It is called before the types are
   made: a collector that is off from here on saves a twentieth of the start. */
int _Py_Deepfreeze_Init(void)
{
	PyGC_Disable();
	return 0;
}

void _Py_Deepfreeze_Fini(void)
{
}
#endif
