"""Bodies read as they come."""

from __future__ import annotations

import gc
import resource
import warnings
from pathlib import Path

import pytest

from callsheet.call import Limits
from callsheet.errors import AttemptTimeout, NoAnswer, UsageError
from callsheet.settings.caps import Caps
from callsheet.transports.curl.handle import Handle
from callsheet.transports.curl.hang_up import Kept
from callsheet.transports.curl.stream import StreamedTransfer
from tests.contract.worlds import LIMITS, World, request
from tests.servers import (
    Action,
    Certificates,
    EchoServer,
    ScriptedServer,
    answer,
    answer_with,
    close,
    drip,
    flood,
    half_chunk,
    head,
    raw,
    reset,
    response,
    silence,
    then,
    truncated,
    wait,
)
from tests.servers.connection import Connection

MIB = 1 << 20


def held() -> int:
    """The memory this process holds now, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def rest_is_whole(reading, size: int) -> bool:
    total = 0
    most, before = 0, held()
    while piece := reading.read():
        total += len(piece)
        most = max(most, held())
    assert most - before < 24 * MIB
    return total == size


def test_a_large_body_passes_through_little_memory(world: World) -> None:
    with ScriptedServer(flood(64 * MIB)) as server:
        reading = world.open(server.url)
        assert rest_is_whole(reading, 64 * MIB)
        reading.close()


def test_what_libcurl_has_ended_is_not_unpaused() -> None:
    transfer = StreamedTransfer(Handle([], Kept()), request("http://127.0.0.1/", is_stream=True), lambda: None)
    transfer.waiting.write(b"the end")
    transfer.waiting_bytes = 7
    transfer.is_paused = True
    assert transfer.next_bytes(lambda: None) == b"the end"


def test_who_does_not_read_is_not_sent_more(world: World, echo_server: EchoServer) -> None:
    with ScriptedServer(flood(64 * MIB)) as server:
        before = held()
        reading = world.open(server.url)
        taken = len(reading.read())
        # Other calls go on meanwhile, and drive the same event loop.
        for _ in range(200):
            world.get(echo_server.url)
        assert held() - before < 24 * MIB
        assert rest_is_whole(reading, 64 * MIB - taken)
        reading.close()


def test_streams_are_read_side_by_side(world: World) -> None:
    with ScriptedServer(answer_with(lambda wanted: flood(int(wanted.target[1:])))) as server:
        sizes = [5 * MIB + number for number in range(4)]
        readings = [world.open(f"{server.url}/{size}") for size in sizes]
        totals = [0] * 4
        unfinished = set(range(4))
        while unfinished:
            for number in sorted(unfinished):
                piece = readings[number].read()
                totals[number] += len(piece)
                if not piece:
                    unfinished.discard(number)
        for reading in readings:
            reading.close()
        assert totals == sizes


def test_a_whole_body_gives_the_connection_back(world: World) -> None:
    with ScriptedServer(answer(body=b"a" * 100_000)) as server:
        for _ in range(3):
            reading = world.open(server.url)
            assert len(reading.rest()) == 100_000
            reading.close()
        assert server.connections == 1


def test_closing_in_the_middle_closes_the_connection(world: World) -> None:
    with ScriptedServer([flood(64 * MIB), answer()]) as server:
        reading = world.open(server.url)
        assert reading.read()
        reading.close()
        reading.close()
        assert server.wait_closed()
        assert world.get(server.url).status_code == 200
        assert server.connections == 2


def test_closing_unread_closes_the_connection(world: World) -> None:
    with ScriptedServer(then(raw(head(200, {"Content-Length": "9"})), silence())) as server:
        world.open(server.url).close()
        assert server.wait_closed()


def test_a_closed_answer_is_not_read(world: World) -> None:
    with ScriptedServer(answer(body=b"abc")) as server:
        reading = world.open(server.url)
        reading.close()
        with pytest.raises(UsageError, match="closed"):
            reading.read()


def test_closing_while_it_is_read_ends_the_reading_at_once(world: World) -> None:
    with ScriptedServer(then(raw(head(200, {"Content-Length": "9"}) + b"abc"), silence())) as server:
        reading = world.open(server.url, Limits(connect=2.0, read=8.0, attempt=4.0))
        assert reading.read() == b"abc"
        error = world.ended_by(reading.close, world.start_reading(reading.stream))
        assert isinstance(error, UsageError)
        assert "closed" in str(error)
        assert server.wait_closed()
        with pytest.raises(UsageError, match="closed"):
            reading.read()


def test_the_end_may_be_read_again(world: World) -> None:
    with ScriptedServer(answer(body=b"abc")) as server:
        reading = world.open(server.url)
        assert [reading.read() for _ in range(3)] == [b"abc", b"", b""]
        reading.close()


@pytest.mark.parametrize(
    "action",
    [
        truncated(9, b"abc"),
        half_chunk(),
        then(raw(head(200, {"Content-Length": "9"}) + b"abc"), reset()),
        then(raw(head(200, {"Transfer-Encoding": "chunked"}) + b"3\r\nabc\r\nzz\r\n"), close()),
    ],
    ids=lambda action: action.name,
)
def test_a_body_that_breaks_off_is_told_when_it_is_read(world: World, action: Action) -> None:
    with ScriptedServer([action, answer()]) as server:
        reading = world.open(server.url)
        assert reading.response.status_code == 200
        with pytest.raises(NoAnswer) as caught:
            reading.rest()
        assert caught.value.was_sent
        with pytest.raises(NoAnswer):
            reading.read()
        reading.close()
        assert world.get(server.url).status_code == 200


def test_a_body_that_goes_quiet_ends_at_the_read_limit(world: World) -> None:
    with ScriptedServer(then(raw(head(200, {"Content-Length": "9"}) + b"abc"), silence())) as server:
        reading = world.open(server.url, LIMITS._replace(read=0.1))
        assert reading.read() == b"abc"
        with pytest.raises(AttemptTimeout, match=r"timeout\.read"):
            reading.read()
        reading.close()
        assert server.wait_closed()


def test_the_read_limit_counts_only_while_somebody_reads(world: World, echo_server: EchoServer) -> None:
    parts = then(raw(head(200, {"Content-Length": "6"}) + b"abc"), wait(0.25), raw(b"def"), silence())
    with ScriptedServer(parts) as server, ScriptedServer(then(wait(0.2), raw(response()))) as slow:
        reading = world.open(server.url, LIMITS._replace(read=0.15))
        assert reading.read() == b"abc"
        world.get(slow.url)
        assert reading.rest() == b"def"
        reading.close()


def test_the_attempt_limit_holds_to_the_headers_only(world: World) -> None:
    data = head(200, {"Content-Length": "100"}) + b"a" * 100
    with ScriptedServer(then(raw(data[:-100]), drip(data[-100:], pause=0.005))) as server:
        reading = world.open(server.url, Limits(connect=2.0, read=None, attempt=0.2))
        assert len(reading.rest()) == 100
        reading.close()


def test_a_limit_on_the_whole_ends_the_body(world: World) -> None:
    data = head(200, {"Content-Length": "1000"}) + b"a" * 1000
    with ScriptedServer(then(raw(data[:-1000]), drip(data[-1000:], pause=0.01))) as server:
        reading = world.open(server.url, LIMITS._replace(whole=0.2))
        with pytest.raises(AttemptTimeout):
            reading.rest()
        reading.close()


def test_the_cap_on_answers_does_not_hold_for_streams(world: World) -> None:
    with ScriptedServer(answer(body=b"a" * 100_000)) as server:
        reading = world.open(server.url, LIMITS._replace(caps=Caps(response=10)))
        assert len(reading.rest()) == 100_000
        reading.close()


def test_closing_the_transport_ends_an_open_answer(world: World) -> None:
    with ScriptedServer(flood(64 * MIB)) as server:
        reading = world.open(server.url)
        assert reading.read()
        world.close()
        assert server.wait_closed()
        with pytest.raises(UsageError, match="closed"):
            reading.rest()
        reading.close()


@pytest.mark.parametrize("is_read", [False, True])
def test_a_dropped_answer_warns_and_frees_its_connection(world: World, is_read: bool) -> None:
    with ScriptedServer(flood(64 * MIB)) as server:
        reading = world.open(server.url)
        if is_read:
            reading.read()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            del reading
            gc.collect()
        assert [each.category for each in caught] == [ResourceWarning]
        assert "was dropped without being closed" in str(caught[0].message)
        world.failure("http://a..b/")
        assert server.wait_closed()


def test_a_stream_passes_tls(tls_world: World, certificates: Certificates) -> None:
    with ScriptedServer(flood(8 * MIB), tls=certificates.good()) as server:
        reading = tls_world.open(server.url)
        assert rest_is_whole(reading, 8 * MIB)
        reading.close()


def test_facts_are_measured_for_whoever_asks(world: World, echo_server: EchoServer) -> None:
    def facts(wants: bool, is_stream: bool):
        sent = world.transport.send(request(echo_server.url, is_stream=is_stream), LIMITS._replace(wants_facts=wants))
        answered, measured = world.run(sent) if hasattr(world, "run") else sent  # type: ignore[attr-defined]
        if is_stream:
            world.read(answered.stream)
            answered.stream.close()
        return measured

    for is_stream in (False, True):
        assert facts(False, is_stream) is None
        measured = facts(True, is_stream)
        assert (measured.address, measured.port, measured.http_version) == ("127.0.0.1", echo_server.port, "1.1")
        assert 0 < measured.first_byte < 5


@pytest.mark.parametrize(("first", "piece"), [(b"1;", b"a"), (b"0\r\n", b"T: 1\r\n")], ids=["extension", "trailers"])
def test_a_stream_ends_if_what_comes_is_no_part_of_its_body(world: World, first: bytes, piece: bytes) -> None:
    def play(connection: Connection) -> None:
        connection.request()
        connection.send(head(200, {"Transfer-Encoding": "chunked"}) + b"2\r\nab\r\n" + first)
        while True:
            connection.send(piece)
            connection.pause(0.01)

    with ScriptedServer(Action("drip", play)) as server:
        reading = world.open(server.url, LIMITS._replace(read=0.2))
        assert reading.read() == b"ab"
        with pytest.raises(AttemptTimeout, match=r"timeout\.read"):
            reading.rest()
        reading.close()
