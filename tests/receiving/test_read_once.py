"""A body that is read as it comes is read once, and says so."""

import pytest

from callsheet.errors import UsageError
from tests.servers import ScriptedServer, answer

PARTS = b"data: 1\n\n2\n3\n"
KINDS = ["iter_bytes", "iter_lines", "iter_json_lines", "iter_events"]


@pytest.fixture
def opened(caller):
    """What an open answer gives in these ways, one after the other: the parts, or the error."""

    def read(*ways, body=b'{"a": 1}\n'):
        with ScriptedServer(answer(headers={"Content-Type": "text/event-stream"}, body=body)) as server:
            return caller.read_in_turn(caller.client(server.url), "/", ways)

    return read


@pytest.mark.parametrize("second", [*KINDS, "read"])
@pytest.mark.parametrize("first", KINDS)
def test_a_second_reading_of_the_whole_is_refused(opened, first, second):
    _, error = opened(first, second)
    assert isinstance(error, UsageError)
    assert str(error).startswith("shop.get: the body was read to its end already; keep what it gave")
    assert (error.service, error.operation) == ("shop", "get")


@pytest.mark.parametrize("second", [*KINDS, "read"])
@pytest.mark.parametrize("first", ["iter_lines", "iter_events"])
def test_a_loop_that_was_left_does_not_lose_what_it_had_read_ahead(opened, first, second):
    part, error = opened(f"first_{first}", second, body=PARTS)
    assert len(part) == 1
    assert isinstance(error, UsageError)
    assert "go on with the iterator of that loop" in str(error)


def test_pieces_are_gone_on_with_in_any_way(opened):
    assert opened("first_iter_bytes", "read", body=PARTS) == [[PARTS], b""]


def test_what_was_read_whole_is_given_again(opened):
    assert opened("read", "read") == [b'{"a": 1}\n'] * 2


@pytest.mark.parametrize("second", KINDS)
def test_what_was_read_whole_is_not_read_in_pieces(opened, second):
    whole, error = opened("read", second)
    assert (whole, type(error)) == (b'{"a": 1}\n', UsageError)


def test_the_end_is_told_once_and_then_refused(caller):
    with ScriptedServer(answer(body=b"one")) as server:
        assert caller.reading(caller.client(server.url), "/", lambda piece: piece() + piece()) == b"one"
