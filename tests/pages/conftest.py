from contextlib import ExitStack

import pytest

from tests.loops import COLOURS
from tests.pages.worlds import SWITCH, asked_through


@pytest.fixture(scope="package", autouse=True)
def _server_is_closed():
    yield
    SWITCH.close()


@pytest.fixture(params=COLOURS)
def colour(request):
    return request.param


@pytest.fixture
def shop(colour):
    """Makes a world of this colour on a fake transport."""
    with ExitStack() as stack:
        yield lambda serve, operation, service="", way="fake": stack.enter_context(
            asked_through(way, colour, serve, operation, service)
        )
