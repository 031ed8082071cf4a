/* Shared functions of all drivers. */
#include "pamdrive.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

noreturn void fail(const char *what)
{
	fflush(stdout);
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
	exit(99);
}

static int refuse(int count, const struct pam_message **messages, struct pam_response **responses,
		  void *unused)
{
	(void)count, (void)messages, (void)responses, (void)unused;
	return PAM_CONV_ERR;
}

const struct pam_conv mute = {refuse, NULL};
