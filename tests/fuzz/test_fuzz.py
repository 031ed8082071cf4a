"""Each target for a few seconds; ./setup fuzz runs them for an hour."""

import pytest

from fuzz import campaign, engines
from fuzz.engines import TARGETS
from support import world

pytestmark = pytest.mark.lengthy


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_is_found(target: str, request: pytest.FixtureRequest, remarks: list[str]) -> None:
    outcome = campaign.run([target], request.config.getoption("--fuzz-seconds"))[target]
    try:
        result = outcome.result()
    except engines.Unavailable as error:
        world.skip(str(error))
        return
    remarks.append(str(result))
    campaign.report([result])
    assert not result.found, result.found
    assert result.executions > result.seeds > 0, result
