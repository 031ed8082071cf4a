"""Each target for a minute; ./setup fuzz has them for an hour."""

from concurrent.futures import Future

import pytest

from fuzz import campaign, engines
from fuzz.engines import TARGETS
from fuzz.results import Result
from support import world

Outcomes = dict[str, "Future[Result]"]


@pytest.fixture(scope="module")
def results(request: pytest.FixtureRequest) -> Outcomes:
    """What became of the targets whose tests were asked for; two of them run at a time."""
    tests = [item.name for item in request.session.items if item.path == request.path]
    names = [name for name in TARGETS if any(f"[{name}]" in test for test in tests)]
    return campaign.run(names, request.config.getoption("--fuzz-seconds"))


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_is_found(target: str, results: Outcomes, remarks: list[str]) -> None:
    try:
        result: Result = results[target].result()
    except engines.Unavailable as error:
        world.skip(str(error))
        return
    remarks.append(str(result))
    campaign.report([result])
    assert not result.found, result.found
    assert result.executions > result.seeds > 0, result
