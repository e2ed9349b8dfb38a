"""Who reads slowly is not given more than is asked for, however much the coding makes of few bytes."""

import resource
from pathlib import Path

import pytest

from tests.servers import ScriptedServer, brotli_bomb, flood, gzip_bomb

MIB = 1 << 20


def held():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


@pytest.mark.parametrize(
    ("action", "size"),
    [
        (gzip_bomb(256 * MIB), 256 * MIB),
        (gzip_bomb(256 * MIB, layers=1), 256 * MIB),
        (brotli_bomb(256 * MIB), 256 * MIB),
    ],
    ids=["gzip, gzip", "gzip", "br"],
)
def test_a_coded_body_is_decoded_as_it_is_read(caller, action, size):
    def read_slowly(next_piece):
        before = most = held()
        total = largest = 0
        while piece := next_piece():
            total += len(piece)
            largest = max(largest, len(piece))
            most = max(most, held())
        return total, largest, most - before

    with ScriptedServer(action) as server:
        total, largest, grown = caller.reading(caller.client(server.url), "/", read_slowly)
    assert total == size
    assert largest <= MIB
    assert grown < 24 * MIB


def test_who_pauses_in_the_middle_is_given_no_more(caller, echo_server):
    def pause_and_read(next_piece):
        first = len(next_piece())
        before = held()
        for _ in range(50):
            caller.do(other, "get", "/small")
        return first, held() - before

    with ScriptedServer(flood(1 << 40)) as server:
        other = caller.client(echo_server.url)
        caller.do(other, "get", "/small")
        first, grown = caller.reading(caller.client(server.url), "/", pause_and_read)
    assert 0 < first < 4 * MIB
    assert grown < 8 * MIB
