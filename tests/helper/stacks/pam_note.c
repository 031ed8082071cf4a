/*
 * pam_note.so NUMBER CALL=CODE... WORD...: record that it was called, with its words, and
 * return their code for this call, or 0.  $PAM_NOTES names the file.
 */
#include <security/pam_modules.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int note(const char *call, int argc, const char **argv)
{
	FILE *notes = fopen(getenv("PAM_NOTES"), "a");
	int code = PAM_SUCCESS;

	if (notes == NULL)
		return PAM_ABORT;
	fprintf(notes, "%s", call);
	for (int i = 0; i < argc; i++) {
		fprintf(notes, "\t%s", argv[i]);
		if (!strncmp(argv[i], "code=", 5))
			code = atoi(argv[i] + 5);
	}
	fprintf(notes, "\n");
	fclose(notes);
	return code;
}

#define CALL(name) \
	int pam_sm_##name(pam_handle_t *pamh, int flags, int argc, const char **argv) \
	{ \
		(void)pamh, (void)flags; \
		return note(#name, argc, argv); \
	}

CALL(authenticate)
CALL(setcred)
CALL(acct_mgmt)
CALL(open_session)
CALL(close_session)
CALL(chauthtok)
