"""Blocking clients, each as a careful user sets it up from its documentation.

Each gives a function `send(method, order)` that reads the whole answer or raises, and that threads may share. The page
shows these functions as they stand here.
"""

# ruff: noqa: PLC0415 each client runs in a process of its own, which loads that client's library alone

from contextlib import contextmanager


@contextmanager
def with_callsheet(url, limits, **settings):
    from callsheet import Client

    # At the full limits this says what the defaults are; nothing else is set, unless a line of a table names it.
    timeout = {"connect": limits.connect, "read": limits.read, "attempt": limits.read, "total": limits.total}
    with Client(base_url=url, timeout=timeout, **settings) as client:

        def send(method, order):
            return client.get(f"/orders/{order}") if method == "GET" else client.post("/orders", json={"order": order})

        yield send


@contextmanager
def with_requests(url, limits):
    import threading

    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.util import Retry

    # `allowed_methods` is left alone: POST is not among them, so of a POST only failed connecting is tried again.
    retry = Retry(total=2, backoff_factor=0.5, backoff_jitter=0.5, status_forcelist=[429, 500, 502, 503, 504])
    local = threading.local()

    def send(method, order):
        # A Session is not documented as safe to share between threads.
        if not hasattr(local, "session"):
            local.session = requests.Session()
            local.session.mount("http://", HTTPAdapter(max_retries=retry))
        path, body = (f"/orders/{order}", None) if method == "GET" else ("/orders", {"order": order})
        answer = local.session.request(method, url + path, json=body, timeout=(limits.connect, limits.read))
        answer.raise_for_status()
        return answer

    yield send


@contextmanager
def with_httpx2(url, limits):
    import httpx2
    import stamina

    def worth_another(error):
        if not isinstance(error, httpx2.HTTPStatusError):
            return isinstance(error, httpx2.HTTPError)
        if error.response.status_code not in {429, 500, 502, 503, 504}:
            return False
        asked = error.response.headers.get("Retry-After")
        return float(asked) if asked else True

    timeout = httpx2.Timeout(limits.read, connect=limits.connect)
    with httpx2.Client(base_url=url, timeout=timeout) as client:
        # stamina knows no methods: whatever the function does is done again.
        @stamina.retry(on=worth_another, attempts=3, timeout=limits.total)
        def send(method, order):
            path, body = (f"/orders/{order}", None) if method == "GET" else ("/orders", {"order": order})
            answer = client.request(method, path, json=body)
            answer.raise_for_status()
            return answer

        yield send


CLIENTS = {"callsheet": with_callsheet, "requests": with_requests, "httpx2": with_httpx2}
