"""The contract of the module, call by call, on the real libpam and kernel."""

import pytest

from support import world
from support.drive import Driver

pytestmark = pytest.mark.privileged

SUCCESS = 0


def test_a_session_has_its_own_keyring_with_the_user_keyring(driver: Driver, loader: str) -> None:
    services = driver.services(s=f"session required {loader} force revoke")
    opened, closed = driver.run(services, "start 0 s alice\nopen 0\nclose 0\nend 0\n").steps[1:3]

    assert opened.code == SUCCESS
    alice = world.uid("alice")
    assert opened.fields == ("keyring", alice, world.gid("alice"), "3f030000", "_ses")
    assert [link.split(";")[4] for link in opened.session["links"]] == [f"_uid.{alice}"]
    assert closed.code == SUCCESS
    assert closed.session == {"error": "EKEYREVOKED"}
