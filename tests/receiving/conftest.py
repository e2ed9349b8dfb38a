import pytest

from tests.loops import colours
from tests.receiving.callers import AsyncioCaller, BlockingCaller


@pytest.fixture(params=colours(BlockingCaller, AsyncioCaller))
def caller(request):
    """The same facts for threads and for tasks."""
    with request.param() as caller:
        yield caller
