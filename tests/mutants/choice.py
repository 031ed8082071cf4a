"""The tests that run against a mutant of each file."""

# pam_python is excluded, because the mutants are in code that both loaders share; so is a test
# that can fail on a busy machine, which would count a mutant as killed.
CHOICE = "not pam_python and not hundred"
# The most relevant tests of a file, the fastest first.
BEYOND = [
    "policies/test_policy_words.py", "scripts", "policies/test_tag_refresh_quota.py",
    "policies/test_used_up.py", "policies/test_policies.py", "policies/test_links.py",
    "policies/test_names.py", "policies/test_attacks.py", "policies/test_faults.py",
]  # fmt: skip
CORE = [
    "module/test_decisions.py", "module/test_hygiene.py", "module/test_contract.py",
    "module/test_handles.py",
    "module/test_retval.py", "module/test_left_open.py", "scripts", "fault/test_interrupts.py",
    "module/test_differences.py", "module/test_bad_input.py",
    "policies/test_policies.py", "policies/test_tag_refresh_quota.py", "attacks/test_ids.py",
    "fault/test_every_call.py", "loader/test_threads.py",
]  # fmt: skip
NAMES = ["policies/test_attacks.py", "policies/test_names.py", "policies/test_faults.py"]
HELPERS_NAMES = ["helper/run/test_fallback.py", "helper/run/test_at_once.py"]
ALARM = "fault/test_every_call.py::test_ids_that_cannot_be_restored_raise_the_alarm"
IMPORTS = "loader/test_forks.py::test_an_import_that_takes_long_is_waited_for"
TESTS = {
    "options.py": ["module/test_options.py", *BEYOND[:2]],
    "policies/words.py": ["policies/test_policy_words.py", "module/test_options.py", *BEYOND[1:5]],
    "policies/quota.py": ["module/test_decisions.py", "policies/test_tag_refresh_quota.py"],
    "policies/naming.py": ["policies/test_plan.py", "scripts", *NAMES, *HELPERS_NAMES],
    "policies/lock.py": ["policies/test_lock.py", "policies/test_names.py", *HELPERS_NAMES],
    "loader/pam_pykeyinit.c": [
        "loader/test_floor.py",
        "loader/test_failures.py::test_the_file_with_python_is_missing",
        "loader/test_isolation.py::test_no_module_is_looked_for_again",
    ],
    "loader/floor.c": ["loader/test_floor.py"],
    "loader/ids.c": [
        "loader/test_switches.py",
        "loader/test_ids.py::test_three_ids_without_the_right_to_set_them",
        "loader/test_ids.py::test_signal_of_a_parents_death_and_dumpable",
    ],
    "loader/identity.c": [
        "loader/test_switches.py",
        "attacks/test_ids.py::test_an_id_that_is_none_does_not_stand_for_roots",
    ],
    "loader/later.c": [
        "loader/test_switches.py",
        "module/test_bad_input.py",
        "fault/outside/test_outside_errors.py",
    ],
    "loader/libm.c": ["loader/test_failures.py::test_our_code_is_broken[numbers with a fraction]"],
    "loader/libc.c": [
        "loader/test_switches.py",
        "module/test_bad_input.py",
        "loader/test_hosts.py::test_what_holds_the_rights_to_a_keyring_ends_with_it",
        "fault/outside/test_outside_seccomp.py::test_no_file_can_be_opened",
        "module/test_contract.py::test_an_entry_of_the_user_database_may_be_long",
        "attacks/test_ids.py::test_an_id_that_is_none_does_not_stand_for_roots",
        IMPORTS,
    ],
    "loader/exception.c": ["loader/test_failures.py"],
    "loader/handle.c": [
        "loader/test_switches.py::test_a_tag_needs_no_right",
        "module/test_hygiene.py::test_a_hold_ends_with_the_close_or_with_the_handle",
        "loader/test_floor.py",
        "load/test_cycles.py::test_a_thousand_sessions_leave_nothing",
        "load/test_cycles.py::test_what_only_the_collector_frees_does_not_grow",
        IMPORTS,
    ],
    "loader/python.c": [
        "loader/test_floor.py",
        "loader/test_failures.py::test_our_code_is_broken[answers True]",
        "loader/test_failures.py::test_our_code_is_broken[answers 32]",
        "module/test_bad_input.py::test_every_call_has_the_words_of_its_own_line",
        IMPORTS,
    ],
    "loader/interpreter.c": [
        "loader/test_threads.py::test_the_first_sessions_of_a_process_are_in_two_threads",
        "loader/test_forks.py::test_a_handler_of_a_signal_forks_while_python_runs",
        "loader/test_starved.py::test_little_memory[quick-data]",
        IMPORTS,
    ],
    "loader/frozen.c": [
        IMPORTS,
        "loader/test_failures.py::test_our_code_is_broken[a name that is not there]",
    ],
    "left_open.py": [
        "module/test_left_open.py",
        "fault/test_every_errno.py::test_every_call_refused_with_every_errno[native-left open]",
    ],
    "hold.py": ["module/test_hold.py", "fault/test_every_call.py"],
    "kernel/identity.py": [
        "kernel/test_identity.py",
        "kernel/test_identity_bounds.py",
        "module/test_differences.py",
        *NAMES,
        "fault/test_interrupts.py",
        "fault/test_every_call.py",
    ],
    "kernel/syscalls.py": [
        "kernel/test_keyctl.py",
        "module/test_hold.py",
        "kernel/test_identity.py",
        *CORE,
    ],
    "kernel/setids.py": [
        "kernel/test_identity.py",
        "kernel/test_sysnums.py",
        "kernel/test_keyctl.py",
    ],
    "kernel/listing.py": ["kernel/test_listing.py", "kernel/test_descriptions.py"],
    "kernel/procfs.py": ["kernel/test_procfs.py"],
    "failure.py": ["module/test_decisions.py", "scripts", ALARM],
    "log.py": [
        "module/test_decisions.py",
        "scripts",
        "module/test_hygiene.py",
        "module/test_bad_input.py",
    ],
    "user.py": [*CORE, "fault/outside/test_outside_seccomp.py::test_no_file_can_be_opened"],
    "native.py": [
        "module/test_hygiene.py",
        "module/test_retval.py",
        "scripts",
        "policies/test_tag_refresh_quota.py",
    ],
    "kernel/keyctl.py": [
        "kernel/test_keyctl.py",
        "policies/test_lock.py",
        "module/test_hold.py",
        "attacks/test_left_behind.py",
        "module/test_hygiene.py",
        *BEYOND[2:6],
    ],
    "module.py": [*CORE, "loader/test_floor.py", "loader/test_failures.py"],
    "kernel/libc.py": [
        "kernel/test_libc.py",
        "kernel/test_keyctl.py",
        "module/test_hold.py",
        "kernel/test_identity.py",
    ],
    "kernel/sysnums.py": [
        "kernel/test_sysnums.py",
        "module/test_decisions.py",
        "kernel/test_keyctl.py",
    ],
    "policies/plan.py": ["policies/test_plan.py", *BEYOND],
    **dict.fromkeys(["policies/tag.py", "policies/refresh.py"], BEYOND),
}


def tests_of(file: str) -> list[str]:
    """The tests of a file of pam_pykeyinit/."""
    return TESTS.get(file, CORE)
