"""Forked children of programs that already had sessions."""

import pytest
from loader.test_hosts import Host

from support.drive import Driver

pytestmark = pytest.mark.privileged

STACK = """auth required pam_pykeyinit.so force revoke name=%u-lazy tag link=user,persistent
account required pam_permit.so
session required pam_pykeyinit.so force revoke"""


def test_a_child_imports_what_its_parent_has_not(driver: Driver) -> None:
    """Imports hold a lock; a child must not find it locked forever."""
    for _ in range(5):
        printed = Host(driver, STACK)("pam_pykeyinit.so", "/usr/bin/python3", "lazy.py")
        assert printed == "fine\n"
