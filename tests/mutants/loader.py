"""loader.py: mutants of the loader's C, a JSON object a line, as generate.py's are.

Made by hand, because no tool knows the purpose of a lock or a reference.  Each removes
or inverts something that a test must notice.
"""

import json
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "pam_pykeyinit/loader"
LOCK = "pthread_mutex_lock(&starting);"
UNLOCK = "pthread_mutex_unlock(&starting);"

# For each file: text that occurs once, and its replacement.
CHANGES: dict[str, list[tuple[str, str]]] = {"pam_pykeyinit.c": [
    ("slash + 1 - self.dli_fname", "slash - self.dli_fname"),
    ("\t\tdlopen(self.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);", "\t\t;"),
    ("!strcmp(call->argv[i], word)", "strcmp(call->argv[i], word)"),
    ("i < call->argc", "i < call->argc - 1"),
    ("answer ? answer(call) : -1", "answer(call)"),
    ("\tif (code >= 0)\n\t\treturn code;\n", ""),
    ("makes_keyring && !call->has_keyring", "makes_keyring"),
    ("makes_keyring && !call->has_keyring", "!call->has_keyring"),
    (' && has_word(call, "force"))', ")"),
    ("answer ? call->failure : why_not", "call->failure"),
    ("return error;", "return 0;"),
    ("run(&call, PAM_CRED_ERR, flags & PAM_ESTABLISH_CRED)", "run(&call, PAM_CRED_ERR, 0)"),
    ("run(&call, PAM_CRED_ERR, flags", "run(&call, PAM_SESSION_ERR, flags"),
    ("run(&call, PAM_SESSION_ERR, 1)", "run(&call, PAM_SESSION_ERR, 0)"),
    ("run(&call, PAM_SESSION_ERR, 0)", "run(&call, PAM_SESSION_ERR, 1)"),
], "floor.c": [
    ("KEYCTL_JOIN_SESSION_KEYRING, NULL)", 'KEYCTL_JOIN_SESSION_KEYRING, "x")'),
    ("\t\twith_ids(&wanted, join, &joined);\n", ""),
    ("\tif (joined < 0) /*", "\tif (0) /*"),
    ("return joined < 0 ?", "return joined > 0 ?"),
], "ids.c": [
    ("before[SAVED] == before[REAL] || ", ""),
    ("before[SAVED] == before[EFFECTIVE] ||\n\t       ", ""),
    ("has_capability(capability);", "1;"),
    ("has_capability(capability);", "0;"),
    ("\tif (before[slot] == id)\n\t\treturn 0;\n", ""),
    ("slot == REAL ? id : KEEP, slot == EFFECTIVE ? id : KEEP, before[slot]",
     "slot == REAL ? id : KEEP, slot == EFFECTIVE ? id : KEEP, KEEP"),
    ("if (filesystem_id(CALL(setfsuid)) == id)", "if (1)"),
    ("\tif (change(CALL(setresgid), CAP_SETGID, before->group, wanted->slot, wanted->gid))\n"
     "\t\treturn errno;\n", ""),
    ("\tif (slot == EFFECTIVE) /*", "\tif (0) /*"),
    ("\tif (slot != FILESYSTEM)\n", "\tif (slot == REAL)\n"),
    ("slot == FILESYSTEM || before[FILESYSTEM] != before[EFFECTIVE]", "slot == FILESYSTEM"),
    ("slot == FILESYSTEM || before[FILESYSTEM] != before[EFFECTIVE]",
     "before[FILESYSTEM] != before[EFFECTIVE]"),
    ("pthread_sigmask(SIG_BLOCK, &all, &signals);", "pthread_sigmask(SIG_BLOCK, NULL, &signals);"),
    ("\tpthread_sigmask(SIG_SETMASK, &signals, NULL);\n", ""),
    ("wanted->slot != REAL || before->user[FILESYSTEM]", "before->user[FILESYSTEM]"),
    ("\tif (!wrong)\n\t\twork(data);", "\twork(data);"),
    ("\tif (restore(wanted) && restore(wanted)) /*", "\tif (restore(wanted)) /*"),
    ("\t\twrong = -1;\n\tif (resets)", "\t\twrong = 0;\n\tif (resets)"),
    ("\t\tprctl(PR_SET_PDEATHSIG, death_signal);\n", ""),
    ("\t\t\tprctl(PR_SET_DUMPABLE, dumpable);", "\t\t\t;"),
], "identity.c": [
    ("\tif (wrong == 0)\n\t\treturn call.answer;\n", "\treturn call.answer;\n"),
    ("if (wrong < 0)", "if (wrong > 0)"),
    ("refuse(EINVAL, ", "refuse(EPERM, "),
    ("switched(REAL, args, count)", "switched(EFFECTIVE, args, count)"),
    ("switched(EFFECTIVE, args, count)", "switched(REAL, args, count)"),
    ("{.slot = FILESYSTEM}", "{.slot = EFFECTIVE}"),
    ("if (calls && wrong <= 0)", "if (calls && wrong < 0)"),
    ("if (calls && wrong <= 0)", "if (calls && wrong == 0)"),
], "later.c": [
    (" && result >= 0; calls->made++", "; calls->made++"),
], "libm.c": [
    ("return library ? dlsym(library, name) : NULL;", "return NULL;"),
    ("TWO(pow)\n", "double pow(double x, double y)\n{\n\treturn x;\n}\n"),
    ("*sine = sin(x);", "*sine = cos(x);"),
], "libc.c": [
    ("value >= UINT32_MAX", "value > UINT32_MAX"),
    ("-errno : value", "errno : value"),
    ("-errno : value", "-EPERM : value"),
    ("value == -1 ? -errno : value", "value"),
    ('"surrogateescape"', '"strict"'),
    ("count < 1 || count > ARGUMENTS", "count < 1 || count > 5"),
    ("PyBytes_Check(object)", "PyBytes_Check(object) && 0"),
    ("PyByteArray_Check(object)", "0"),
    ('syslog(priority, "%s", line)', 'syslog(priority, line, "")'),
    ("MAP_SHARED | MAP_ANONYMOUS", "MAP_PRIVATE | MAP_ANONYMOUS"),
    ("result(munmap((void *)at, 1))", "result(munmap((void *)at, 0))"),
    ("(__libc_single_threaded)", "(!__libc_single_threaded)"),
    ("wrong == ERANGE && size", "size == 1024 && size"),
    ("(unsigned long)entry.pw_uid, (unsigned long)entry.pw_gid",
     "(unsigned long)entry.pw_gid, (unsigned long)entry.pw_uid"),
    ("wrong == 0 || wrong == ENOENT", "wrong == ENOENT"),
    ("wrong == EBADF || wrong == EPERM", "wrong == EBADF || wrong == EPERM || 1"),
], "exception.c": [
    ('words ? PyUnicode_AsUTF8(words) : Py_TYPE(error)->tp_name', "PyUnicode_AsUTF8(words)"),
    ("what, why);\n\tPyErr_Clear();", "what, why);"),
], "handle.c": [
    ("words ? 4 : 2", "4"),
    ("\t\tif (prompt == NULL)\n", "\t\tif (0)\n"),
    ('text_from(found ? found : "")', "text_from(found)"),
    ("handle_call(state, END, NULL, NULL)", 'PyObject_CallMethod(state, "has_keyring", NULL)'),
    ("\tPy_DECREF((PyObject *)state);\n", ""),
    ("\tPyGC_Enable();\n", ""),
    ("\tif (*may_exist)\n\t\treturn NULL;\n", ""),
], "python.c": [
    ("!PyUnicode_IS_ASCII(word) || ", ""),
    (" || strcmp(PyUnicode_DATA(word), argv[i])", ""),
    (" || PyList_GET_SIZE(list) != argc + 1", " || PyList_GET_SIZE(list) < argc + 1"),
    ("if (answer && Py_TYPE(answer) == &PyLong_Type)", "if (answer)"),
    ("code < _PAM_RETURN_VALUES", "code <= _PAM_RETURN_VALUES"),
    ("call->has_keyring = made == Py_True;", "call->has_keyring = 1;"),
    ("\tinterpreter_leave(gil);\n\treturn code;", "\treturn code;"),
], "interpreter.c": [
    ("!munmap(reserve, RESERVE)", "1"),
    ("\tif (!has_memory())", "\tif (0)"),
    ("before.utf8_mode = 1;", "before.utf8_mode = 0;"),
    ("\tonly_the_core(&config);\n", ""),
    ("\tPyEval_SaveThread();\n\treturn broken;", "\treturn broken;"),
    ("\trunning = !broken;\n", ""),
    (f"\t{LOCK}\n\tconst char *wrong", "\tconst char *wrong"),
    ("\t\t*gil = PyGILState_Ensure();", "\t\t;"),
    ("\t\tfrozen_before_fork();\n", ""),
    ("\t\tPyOS_BeforeFork();\n", ""),
    ("\t\tPyOS_AfterFork_Parent();\n", ""),
    ("\t\tPyGILState_Release(forking_gil);\n", ""),
    ("\t\tfrozen_after_fork_parent();\n", ""),
    ("\t\tPyOS_AfterFork_Child();\n", ""),
    ("if (forking_gil == PyGILState_UNLOCKED)", "if (0)"),
    ("if (forking_gil == PyGILState_UNLOCKED)", "if (1)"),
    ("\t\tfrozen_after_fork_child();\n", ""),
    ("\tpthread_atfork(before_fork, after_fork_parent, after_fork_child);\n", ""),
], "frozen.c": [
    ("PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP; /*", "PTHREAD_MUTEX_INITIALIZER; /*"),
    ("\tcomplete[number] = 1;\n", ""),
    ("complete[i] ? known(name) :", "known(name) ? known(name) :"),
    ("\t\tif (PyObject_SetAttrString(package, frozen->name, NULL))\n\t\t\tPyErr_Clear();\n", ""),
    ("if (PyLong_AsLong(args[4]) == 0)", "if (0)"),
    ("Py_TYPE(module) == &PyModuleDef_Type", "0"),
]}  # fmt: skip


def _line(text: str) -> str:
    return " ".join(text.split())


def mutants() -> list[dict[str, str]]:
    """All mutants, with the source of each.  Raises ValueError if a BEFORE does not occur once."""
    made = []
    every = [(name, *change) for name, changes in CHANGES.items() for change in changes]
    for name, before, after in every:
        source = (FOLDER / name).read_text()
        if source.count(before) != 1:
            raise ValueError(f"{name} has {source.count(before)} times: {before}")
        made.append(
            {
                "file": f"loader/{name}",
                "function": "",
                "before": _line(before),
                "after": _line(after) or "nothing",
                "source": source.replace(before, after),
            }
        )
    return made


if __name__ == "__main__":
    for mutant in mutants():
        print(json.dumps(mutant))
