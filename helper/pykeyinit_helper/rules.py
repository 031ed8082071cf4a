"""What can be wrong with the keyrings of a machine's logins.  Pure: stacks and facts go in.

RULES is in order of harm: what gives a way to root, what locks people out, what leaves them
without their keys, what is merely missing.
"""

from collections.abc import Sequence

from pykeyinit_helper import machine_rules, stack_rules
from pykeyinit_helper.entries import Stack
from pykeyinit_helper.finding import Finding, Rule
from pykeyinit_helper.machine import Facts

RULES: tuple[Rule, ...] = (
    stack_rules.pam_python_in_setuid,
    machine_rules.writable,
    stack_rules.unreadable,
    stack_rules.strict,
    machine_rules.absent,
    machine_rules.python_gone,
    machine_rules.refused,
    stack_rules.twice,
    stack_rules.late,
    stack_rules.early,
    machine_rules.kept,
    machine_rules.unit_of_helper,
    machine_rules.quotas,
    stack_rules.without,
)


def judge(stacks: Sequence[Stack], facts: Facts) -> list[Finding]:
    """All findings, the worst first; one that several services share is told once."""
    shared: dict[Finding, list[str]] = {}
    for rule in RULES:
        for finding in rule(stacks, facts):
            services = shared.setdefault(finding._replace(services=()), [])
            services += [name for name in finding.services if name not in services]
    return [finding._replace(services=tuple(names)) for finding, names in shared.items()]
