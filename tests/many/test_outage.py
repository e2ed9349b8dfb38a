"""A list of rows outlasts a real outage: real sockets, a port that refuses until the breaker has opened."""

import json
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from callsheet import AsyncClient, BreakerChanged, Client, Sheet
from tests.loops import colours, run


class Handler(BaseHTTPRequestHandler):
    """Answers each POST, and counts the bodies that came."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received[json.loads(content)["id"]] += 1
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        """Nothing is logged."""


class Late(ThreadingHTTPServer):
    """A server whose port is taken, and refuses connections until `start` is called."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler, bind_and_activate=False)
        self.server_bind()
        self.received = Counter()
        self.thread = None

    def start(self):
        if self.thread is None:
            self.server_activate()
            self.thread = Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
            self.thread.start()

    def __exit__(self, *_):
        if self.thread is not None:
            self.shutdown()
            self.thread.join()
        self.server_close()


def in_threads(sheet, listen, rows, **options):
    with Client(sheet, listeners=[listen]) as client:
        return list(client.service("shop").map("create", rows, **options))


def in_tasks(sheet, listen, rows, loop="asyncio", **options):
    async def main():
        async with AsyncClient(sheet, listeners=[listen]) as client:
            return [outcome async for outcome in client.service("shop").map("create", rows, **options)]

    return run(main(), loop)


@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("outcomes_of", colours(in_threads, in_tasks))
def test_every_row_is_sent_once_though_the_service_was_down(outcomes_of, ordered):
    rows = [{"id": number} for number in range(200)]
    changes = []
    with Late() as server:

        def listen(event):
            changes.append(event.state)
            server.start()

        listen.wants = (BreakerChanged,)
        shop = {
            "base_url": f"http://127.0.0.1:{server.server_port}",
            "breaker": {"window": "50ms", "open": "100ms"},
            "operations": {"create": {"post": "/rows", "json": "object", "returns": "object"}},
        }
        outcomes = outcomes_of(Sheet(services={"shop": shop}), listen, rows, on_error="keep", ordered=ordered)
    assert [outcome for outcome in outcomes if not outcome.ok] == []
    assert server.received == dict.fromkeys(range(200), 1)
    assert sorted(outcome.index for outcome in outcomes) == list(range(200))
    assert not ordered or [outcome.row for outcome in outcomes] == rows
    assert changes[0] == "open"
    assert changes[-1] == "closed"
