"""`request`, which makes the requests that the generator of an `auth: {python: ...}` yields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from callsheet.errors import ArgumentError
from callsheet.http.body import Content
from callsheet.http.headers import Headers, check_field
from callsheet.http.json import dumps
from callsheet.http.request import Request
from callsheet.secret import Secret


def request(
    method: str,
    url: str,
    *,
    json: Any = None,
    data: Mapping[str, str | Secret] | None = None,
    headers: Mapping[str, str | Secret] | None = None,
) -> Request:
    """Make a request to an absolute http or https URL, for the generator of an `auth: {python: ...}` to yield.

    `json` is sent as JSON, `data` as a form; give one of them or none. A Secret in `data` or `headers` is sent as it is and
    shown masked. Raises ArgumentError for what cannot be sent.
    """
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise ArgumentError("expected an absolute http or https URL")
    if json is not None and data is not None:
        raise ArgumentError("give one of json and data")
    given = dict(headers or {})
    for name, value in given.items():
        check_field(name, value.reveal() if isinstance(value, Secret) else value)
    body = _body(json, data)
    if body is not None:
        given.setdefault("Content-Type", body.content_type or "")
    secrets = [value for value in (*given.values(), *(data or {}).values()) if isinstance(value, Secret)]
    return Request(method.upper(), url, Headers(given), body, secrets=tuple(secrets))


def _body(json: Any, data: Mapping[str, str | Secret] | None) -> Content | None:
    if json is not None:
        return Content(dumps(json), "application/json")
    if data is None:
        return None
    plain = {name: value.reveal() if isinstance(value, Secret) else value for name, value in data.items()}
    return Content(urlencode(plain).encode(), "application/x-www-form-urlencoded")
