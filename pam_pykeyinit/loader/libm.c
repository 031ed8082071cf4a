/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Floating-point numbers of CPython need libm.  No login uses them, and mapping the library
 * takes a twentieth of the first session's time.  So it is opened at the first call.
 *
 * Functions that another CPython needs and that are not here come from libm: see meson.build.
 */
#include <dlfcn.h>
#include <gnu/lib-names.h>
#include <math.h>
#include <stddef.h>

static void *find(const char *name)
{
	void *library = dlopen(LIBM_SO, RTLD_NOW | RTLD_LOCAL); /* never closed */

	return library ? dlsym(library, name) : NULL;
}

/* Without libm the result is NaN. */
#define ONE(name) \
	double name(double x) \
	{ \
		double (*there)(double) = find(#name); \
		return there ? there(x) : NAN; \
	}
#define TWO(name) \
	double name(double x, double y) \
	{ \
		double (*there)(double, double) = find(#name); \
		return there ? there(x, y) : NAN; \
	}

ONE(cos)
ONE(exp)
ONE(floor)
ONE(log)
ONE(round)
ONE(sin)
TWO(atan2)
TWO(fmod)
TWO(hypot)
TWO(pow)

void sincos(double x, double *sine, double *cosine)
{
	*sine = sin(x);
	*cosine = cos(x);
}
