import pytest

from tests.receiving.callers import AsyncioCaller, BlockingCaller


@pytest.fixture(params=[BlockingCaller, AsyncioCaller], ids=["blocking", "asyncio"])
def caller(request):
    """The same facts for threads and for tasks."""
    with request.param() as caller:
        yield caller
