/* Replaces our module: by MODE it creates no keyring, leaves its keyring, crashes, or hangs. */
#include <security/pam_modules.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define JOIN_SESSION_KEYRING 1

int pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv) {
    (void)pamh, (void)flags, (void)argc, (void)argv;
    if (MODE == 1)
        syscall(SYS_keyctl, JOIN_SESSION_KEYRING, NULL);
    if (MODE == 2)
        abort();
    if (MODE == 3)
        return PAM_SESSION_ERR;
    if (MODE == 4)
        pause();
    return PAM_SUCCESS;
}

int pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv) {
    (void)pamh, (void)flags, (void)argc, (void)argv;
    return PAM_SUCCESS;
}
