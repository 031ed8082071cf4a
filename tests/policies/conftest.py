"""Fixtures for the options that pam_keyinit does not have."""

from collections.abc import Callable

import pytest

from support.drive import Driver, Outcome

Run = Callable[..., Outcome]


@pytest.fixture
def run(driver: Driver, loader: str) -> Run:
    """Run a script on service `s`, which has the module in its auth and session parts."""

    def run(options: str, script: str, **environment: str) -> Outcome:
        stack = f"auth required {loader} {options}\nsession required {loader} {options}"
        return driver.run(driver.services(s=stack), script, env=environment)

    return run
