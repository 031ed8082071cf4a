"""loader.py: mutants of the loader's C, a JSON object a line, as generate.py's are.

Made by hand, for no tool knows what a lock or a reference is worth.  Each takes something
out, or turns it round, that a test is to miss.
"""

import json
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "pam_pykeyinit/loader"
LOCK = "pthread_mutex_lock(&starting);"
UNLOCK = "pthread_mutex_unlock(&starting);"

# Of each file: text that it has once, and what stands in its place.
CHANGES: dict[str, list[tuple[str, str]]] = {"trust.c": [
    ("!(s->st_uid || ", "!("),
    ("s->st_mode & S_IWOTH || ", ""),
    ("(s->st_mode & S_IWGRP && s->st_gid)", "0"),
    ("(s->st_mode & S_IWGRP && s->st_gid)", "s->st_mode & S_IWGRP"),
    ("if (stat(part, &s) || !is_roots(&s))", "if (stat(part, &s))"),
    ("return slash != NULL;", "return 1;"),
    ("!is_safe(path) || !is_safe(real)", "!is_safe(path)"),
    ("!is_safe(path) || !is_safe(real)", "!is_safe(real)"),
    ("if (!is_trusted_path(pamh, folder))\n\t\treturn 0;\n", ""),
    ("return unreadable(pamh, folder);", "return 1;"),
    ("while (trusted && (entry", "while ((entry"),
    ("errno == ENOENT", "0"),
    ("else if (S_ISDIR(s.st_mode))", "else if (0)"),
    ("S_ISLNK(s.st_mode) || !is_roots(&s)", "!is_roots(&s)"),
    ("S_ISLNK(s.st_mode) || !is_roots(&s)", "S_ISLNK(s.st_mode)"),
    ("\tclosedir(list);\n", ""),
], "pam_pykeyinit.c": [
    ("-errno : value", "errno : value"),
    ("(__libc_single_threaded)", "(!__libc_single_threaded)"),
    ("MAP_SHARED | MAP_ANONYMOUS", "MAP_PRIVATE | MAP_ANONYMOUS"),
    ("py.PyLong_AsLong(address), 1)", "py.PyLong_AsLong(address), 0)"),
    ("i < count && i < 6", "i < count && i < 5"),
    ("== py.PyByteArray_Type)", "== NULL)"),
    ('syslog(priority, "%s", line)', 'syslog(priority, line, "")'),
    ('"surrogateescape"', '"strict"'),
    ('text(found ? found : "")', "text(found)"),
    ("ended = 1;", "ended = 0;"),
    ("before.utf8_mode = 1;", "before.utf8_mode = 0;"),
    ("config.site_import = 0;", "config.site_import = 1;"),
    ("config.write_bytecode = 0;", "config.write_bytecode = 1;"),
    ("config.install_signal_handlers = 0;", "config.install_signal_handlers = 1;"),
    ("\tpy.PyConfig_Clear(&config);\n", ""),
    ("\tpy.PyEval_SaveThread();\n\treturn NULL;", "\treturn NULL;"),
    ("\tif (broken)\n\t\treturn broken;\n", ""),
    ("RTLD_LOCAL | RTLD_NODELETE", "RTLD_GLOBAL | RTLD_NODELETE"),
    (' ||\n\t    strstr(py.Py_GetVersion(), "free-threading")', ""),
    (
        'strncmp(py.Py_GetVersion(), PYTHON_VERSION ".", strlen(PYTHON_VERSION "."))',
        "0",
    ),
    (f"\t\t{UNLOCK}\n\t}}\n\tif (trusted", "\t}\n\tif (trusted"),
    ("!ready || ended || py", "!ready || py"),
    ("ended || py._Py_IsFinalizing()))", "ended))"),
    (f"if (ours)\n\t\t{LOCK}", "if (0)\n\t\t" + LOCK),
    (f"if (ours)\n\t\t{UNLOCK}", "if (0)\n\t\t" + UNLOCK),
    ("\t\tpy.PyOS_BeforeFork();\n", ""),
    ("\t\tpy.PyOS_AfterFork_Parent();\n", ""),
    ("\t\tpy.PyGILState_Release(forking_gil);\n", ""),
    ("\t\tpy.PyOS_AfterFork_Child();\n", ""),
    ("if (forking_gil == PyGILState_UNLOCKED)", "if (0)"),
    ("if (forking_gil == PyGILState_UNLOCKED)", "if (1)"),
    ("\tpthread_atfork(before_fork, after_fork_parent, after_fork_child);\n", ""),
    ("\tpy.Py_DecRef(type);\n", ""),
    ("what, why);\n\tpy.PyErr_Clear();", "what, why);"),
    ("\tpy.Py_DecRef(error);\n", ""),
    ('"ss", PACKAGE_FOLDER, ""', '"ss", "", ""'),
    ('"__path__", path)', '"__file__", path)'),
    ("\tif (ended || py._Py_IsFinalizing())\n\t\treturn;\n", ""),
    ("\tpy.Py_DecRef(done);\n", ""),
    ("\tpy.Py_DecRef(done);\n\tpy.Py_DecRef(state);\n", "\tpy.Py_DecRef(done);\n"),
    ("state);\n\tpy.PyGILState_Release(gil);\n", "state);\n"),
    ("\tpy.Py_DecRef(capsule);\n", ""),
    ("\tpy.Py_DecRef(asking);\n", ""),
    ("\t\tpy.Py_DecRef(word);\n", ""),
    ("if (Py_TYPE(answer) == py.PyLong_Type)", "if (1)"),
    ("\tpy.PyErr_Clear();\n\tpy.Py_DecRef(answer);", "\tpy.Py_DecRef(answer);"),
    ("\tpy.Py_DecRef(answer);\n", ""),
    ("code < _PAM_RETURN_VALUES", "code <= _PAM_RETURN_VALUES"),
    ("py.PyInterpreterState_Get() == py.PyInterpreterState_Main()", "1"),
    ("\tpy.PyGILState_Release(gil);\n\treturn code", "\treturn code"),
    ("pam_sm_setcred, PAM_CRED_ERR", "pam_sm_setcred, PAM_SESSION_ERR"),
]}  # fmt: skip


def _line(text: str) -> str:
    return " ".join(text.split())


def mutants() -> list[dict[str, str]]:
    """All, with the source of each.  Raises ValueError where a BEFORE is not there once."""
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
