import pytest

from tests.engine.world import BlockingWorld, TaskWorld


@pytest.fixture(params=[BlockingWorld, TaskWorld], ids=["blocking", "asyncio"])
def world(request):
    """The same facts for threads and for tasks; at its end no thread and no task is left."""
    with request.param() as world:
        yield world
