"""Blocking clients: each opens what its library would keep open, and gives a function that makes one call.

Each parses its answer with what it brings. The function may be called from several threads.
"""

# ruff: noqa: PLC0415 each client runs in a process of its own, which loads that client's library alone

import json
import os
import threading
from contextlib import contextmanager
from pathlib import Path

from bench.exchange import BODY, PATH

SHEET = Path(__file__).with_name("callsheet.yaml")


@contextmanager
def with_requests(url):
    import requests

    target = url + PATH
    local = threading.local()

    def call():
        session = getattr(local, "session", None)
        if session is None:
            # A Session is not documented as safe to share between threads.
            session = local.session = requests.Session()
        return session.post(target, json=BODY).json()

    yield call


@contextmanager
def with_httpx2(url):
    import httpx2

    target = url + PATH
    with httpx2.Client(limits=httpx2.Limits(max_keepalive_connections=100)) as client:
        yield lambda: client.post(target, json=BODY).json()


@contextmanager
def with_pycurl(url):
    import pycurl

    target = url + PATH
    local = threading.local()
    headers = ["Content-Type: application/json", "Accept: application/json", "Expect:"]

    def opened():
        handle = pycurl.Curl()
        handle.setopt(pycurl.URL, target)
        handle.setopt(pycurl.HTTPHEADER, headers)
        handle.setopt(pycurl.NOSIGNAL, 1)
        handle.setopt(pycurl.CONNECTTIMEOUT_MS, 5000)
        handle.setopt(pycurl.TIMEOUT_MS, 10000)
        return handle

    def call():
        handle = getattr(local, "handle", None)
        if handle is None:
            handle = local.handle = opened()
        lines, chunks = [], []
        handle.setopt(pycurl.POSTFIELDS, json.dumps(BODY))
        handle.setopt(pycurl.HEADERFUNCTION, lines.append)
        handle.setopt(pycurl.WRITEFUNCTION, chunks.append)
        handle.perform()
        if handle.getinfo(pycurl.RESPONSE_CODE) >= 400:
            raise RuntimeError(lines[0])
        return json.loads(b"".join(chunks))

    yield call


def with_callsheet(name):
    """Our client, calling the service of this name."""

    @contextmanager
    def opened(url):
        from callsheet import Client

        os.environ["BENCH_URL"] = url
        with Client(SHEET) as client:
            service = client.service(name)
            yield lambda: service.call("create_user", **BODY)

    return opened


CLIENTS = {
    "requests": with_requests,
    "httpx2": with_httpx2,
    "pycurl": with_pycurl,
    "callsheet": with_callsheet("bench"),
    "callsheet: few": with_callsheet("few"),
    "callsheet: all": with_callsheet("all"),
}
