import pytest

from tests.engine.world import BlockingWorld, TaskWorld
from tests.loops import colours


@pytest.fixture(params=colours(BlockingWorld, TaskWorld))
def world(request):
    """The same facts for threads and for tasks; at its end no thread and no task is left."""
    with request.param() as world:
        yield world
