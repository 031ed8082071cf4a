"""What can be wrong with the keyrings of a machine's logins.  Pure: stacks and facts go in.

RULES is in order of harm: what gives a way to root, what locks people out, what leaves them
without their keys, what is merely missing.
"""

from collections.abc import Sequence

from pykeyinit_helper.stacks import line_rules, machine_rules, stack_rules
from pykeyinit_helper.stacks.entries import Stack
from pykeyinit_helper.stacks.finding import Finding, Rule
from pykeyinit_helper.stacks.machine import Facts

RULES: tuple[Rule, ...] = (
    line_rules.pam_python_in_setuid,
    machine_rules.writable,
    stack_rules.unreadable,
    line_rules.strict,
    machine_rules.absent,
    machine_rules.broken,
    machine_rules.old_python,
    line_rules.misspelt,
    line_rules.wrong_type,
    stack_rules.unreached,
    machine_rules.refused,
    machine_rules.no_pam,
    stack_rules.twice,
    stack_rules.setcred,
    stack_rules.late,
    stack_rules.early,
    machine_rules.kept,
    machine_rules.unit_of_helper,
    line_rules.options,
    machine_rules.quotas,
    stack_rules.without,
)

# The names by which findings are silenced, in the order of the manual page.
NAMES = (
    "pam-python-in-set-user-id", "writable", "unreadable", "strict", "absent", "broken",
    "old-python", "misspelt", "wrong-type", "unreached", "keyctl-refused", "no-pam", "twice",
    "setcred", "late", "early", "keyring-mode", "options", "quota", "without",
)  # fmt: skip

# Those that say what could be better where nothing is wrong: they leave the status 0.
NOTES = frozenset({"without"})


def judge(stacks: Sequence[Stack], facts: Facts) -> list[Finding]:
    """All findings, the worst first; one that several services share comes once."""
    shared: dict[Finding, list[str]] = {}
    for rule in RULES:
        for finding in rule(stacks, facts):
            services = shared.setdefault(finding._replace(services=()), [])
            services += [name for name in finding.services if name not in services]
    return [finding._replace(services=tuple(names)) for finding, names in shared.items()]
