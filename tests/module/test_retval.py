"""The return values of the six service functions, as in Linux-PAM's tst-*-retval.

The stack is the module alone; if it only returns PAM_IGNORE, libpam returns PAM_PERM_DENIED.
"""

import pytest

from support.drive import Driver

pytestmark = pytest.mark.privileged

SUCCESS, PERM_DENIED, USER_UNKNOWN = 0, 6, 10


@pytest.mark.parametrize(
    ("calls", "codes"),
    [
        ("auth", [PERM_DENIED]),
        ("acct", [PERM_DENIED]),
        ("chauthtok", [PERM_DENIED]),
        ("establish", [SUCCESS]),
        ("delete", [PERM_DENIED]),
        ("reinitialize", [PERM_DENIED]),
        ("refresh", [PERM_DENIED]),
        ("open", [SUCCESS]),
        ("close", [SUCCESS]),
        ("establish delete", [SUCCESS, SUCCESS]),
        ("open close", [SUCCESS, SUCCESS]),
        ("open delete", [SUCCESS, SUCCESS]),
        ("open delete delete", [SUCCESS, SUCCESS, PERM_DENIED]),
    ],
)
def test_alone(calls: str, codes: list[int], driver: Driver, loader: str) -> None:
    parts = ("auth", "account", "password", "session")
    stack = "\n".join(f"{part} required {loader} force revoke" for part in parts)
    script = "".join(f"{call} 0\n" for call in calls.split())
    assert driver.run(driver.services(s=stack), f"start 0 s alice\n{script}").codes() == codes


@pytest.mark.parametrize("call", ["auth", "acct", "chauthtok", "establish", "open", "close"])
def test_beside_pam_permit(call: str, driver: Driver, loader: str) -> None:
    parts = ("auth", "account", "password", "session")
    stack = "\n".join(
        f"{part} required {loader} force revoke\n{part} required pam_permit.so" for part in parts
    )
    services = driver.services(s=stack)
    assert driver.run(services, f"start 0 s alice\n{call} 0\n").codes() == [SUCCESS]
    if call in ("establish", "open"):
        assert driver.run(services, f"start 0 s nosuch\n{call} 0\n").codes() == [USER_UNKNOWN]
