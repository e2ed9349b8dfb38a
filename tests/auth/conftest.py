import pytest

from tests.auth.worlds import Tasks, Threads
from tests.loops import colours


@pytest.fixture(params=colours(Threads, Tasks))
def world(request):
    """The class of one colour; what it opened is closed after the test."""
    opened = []

    class Opened(request.param):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            opened.append(self)

    yield Opened
    for each in opened:
        each.close()
