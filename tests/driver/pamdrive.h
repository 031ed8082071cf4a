/* The parts of pamdrive.  Each prints one line of JSON for its action or observation. */
#ifndef PAMDRIVE_H
#define PAMDRIVE_H

#include <security/pam_appl.h>
#include <stdnoreturn.h>
#include <sys/syscall.h>
#include <unistd.h>

/* If there are two calls, the one with the plain name truncates an id to 16 bits. */
#ifdef SYS_setresuid32
#undef SYS_setresuid
#undef SYS_setresgid
#undef SYS_setfsuid
#define SYS_setresuid SYS_setresuid32
#define SYS_setresgid SYS_setresgid32
#define SYS_setfsuid SYS_setfsuid32
#endif

#define THREAD_KEYRING (-1)
#define PROCESS_KEYRING (-2)
#define SESSION_KEYRING (-3)
#define USER_SESSION_KEYRING (-5)

enum keyctl_operation {
	GET_KEYRING_ID = 0,
	JOIN_SESSION_KEYRING = 1,
	REVOKE = 3,
	SETPERM = 5,
	DESCRIBE = 6,
	LINK = 8,
	SEARCH = 10,
	READ = 11,
	SET_TIMEOUT = 15,
};

#define keyctl(...) syscall(SYS_keyctl, __VA_ARGS__)

/* In common.c: fail prints a line with errno and ends; a conversation without answers. */
noreturn void fail(const char *what);
extern const struct pam_conv mute;

/* Run a command in one of the nine threads other than the first. */
typedef void command(const char *confdir, char **words);
void in_thread(int number, command *run, const char *confdir, char **words);

/* The state that a login may change, seen from a forked child, which changes nothing. */
void look_begin(void);
void look(void);
/* The state of the process that a PAM module must not change. */
void hygiene(void);
void special(void);
void search(const char *name);
void read_key(const char *name);
/* Only in pamfault: see faults.c. */
__attribute__((weak)) void fault_next(int number, int gives, int stays);
__attribute__((weak)) void fault_signal(int number, int forks);
__attribute__((weak)) void fault_calls(void);
/* Set the stage: "prep KIND [USER]", "ids RUID EUID SUID RGID EGID SGID", "seccomp CALL
   ERRNO", "setperm MASK", "keyctl NUMBER A B". */
void prepare(char **words);
void set_ids(char **words);
void deny(char **words);
void set_permissions(char **words);
void operate(char **words);
/* A key in the session keyring; only its possessor has permissions. */
void add_key_named(const char *name);

#endif
