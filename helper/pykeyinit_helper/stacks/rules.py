"""The rules of `check`.  Pure: they judge stacks and facts.

RULES is in order of harm: ways to become root, lockouts, missing
keys, missing modules.
"""

from collections.abc import Sequence

from pykeyinit_helper.stacks import identity_rules, line_rules, machine_rules, stack_rules
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
    identity_rules.early,
    machine_rules.kept,
    machine_rules.unit_of_helper,
    line_rules.options,
    machine_rules.quotas,
    identity_rules.label,
    stack_rules.without,
)

# The names of the rules, in the order of the manual page.
NAMES = (
    "pam-python-in-set-user-id", "writable", "unreadable", "strict", "absent", "broken",
    "old-python", "misspelt", "wrong-type", "unreached", "keyctl-refused", "no-pam", "twice",
    "setcred", "late", "early", "keyring-mode", "options", "quota", "label", "without",
)  # fmt: skip

# Rules for suggestions: they do not change the exit status.
NOTES = frozenset({"label", "without"})


def judge(stacks: Sequence[Stack], facts: Facts) -> list[Finding]:
    """All findings, the worst first, without duplicates for several services."""
    shared: dict[Finding, list[str]] = {}
    for rule in RULES:
        for finding in rule(stacks, facts):
            services = shared.setdefault(finding._replace(services=()), [])
            services += [name for name in finding.services if name not in services]
    return [finding._replace(services=tuple(names)) for finding, names in shared.items()]
