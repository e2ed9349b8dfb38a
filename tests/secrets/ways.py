"""Every way a call can take; the servers are careless, and tell back all that they were sent."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from tests.servers import (
    answer,
    answer_with,
    garbage,
    half_header_block,
    lose_answer,
    reset_before_reading,
    silence,
    truncated,
)

TYPED = {"returns": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}}


def told(request) -> str:
    return request.head.decode("latin-1") + request.body.decode("utf-8", "replace")


def echo(status: int = 200, kind: str = "application/problem+json", shape: str = "problem"):
    """An answer with the whole request in a header and in the body."""

    def of(request):
        text = told(request)
        bodies = {
            "problem": {"title": text, "detail": text, "instance": text, "extra": text},
            "wrong type": {"n": text},
            "code": {"code": text, "msg": text},
        }
        body = json.dumps(bodies[shape]) if shape in bodies else text
        line = " | ".join(text.split("\r\n"))
        headers = [("Content-Type", kind), ("X-Echo", line), ("Set-Cookie", "sid=" + line.split(";")[0])]
        return answer(status, headers, body.encode())

    return answer_with(of)


def redirect():
    """Elsewhere, with the whole request in Location."""

    def of(request):
        return answer(302, [("Location", request.target + "&again=1" if "?" in request.target else "/y")])

    return answer_with(of)


NONE: Mapping[str, Any] = MappingProxyType({})


class Way(NamedTuple):
    """What the server does, what the sheet says, and how often is called."""

    script: Any
    service: Mapping[str, Any] = NONE
    operation: Mapping[str, Any] = NONE
    calls: int = 1
    options: Mapping[str, Any] = NONE
    arguments: Mapping[str, Any] = NONE


JSON = "application/json"
WAYS = {
    "success": Way(echo(200)),
    "refused": Way(echo(401)),
    "failed": Way(echo(500), {"retry": "off"}),
    "failed and tried again": Way(echo(503), {"retry": {"attempts": 2, "backoff": {"first": "1ms", "max": "1ms"}}}),
    "elsewhere": Way(redirect(), {}, TYPED),
    "elsewhere and followed": Way([redirect(), echo(404)], {"redirects": "same-origin"}),
    "no HTTP": Way(garbage()),
    "broken head": Way(half_header_block()),
    "broken body": Way(truncated(100, b"half")),
    "lost": Way(lose_answer()),
    "reset": Way(reset_before_reading()),
    "too late": Way(silence(), {}, {}, options={"timeout": 0.05}),
    "not JSON": Way(echo(200, JSON, "text"), {}, TYPED),
    "another type": Way(echo(200, JSON, "wrong type"), {}, TYPED),
    "too large": Way(echo(200, JSON, "text"), {"caps": {"response": 10}}),
    "too many header fields": Way(echo(200), {"caps": {"header_count": 1}}),
    "failure inside a 200": Way(echo(200, JSON, "code"), {"envelope": {"ok": {"path": "code", "equals": 0}, "message": "msg"}}, TYPED),
    "breaker": Way(echo(500), {"breaker": {"ratio": "1%", "samples": 1}}, calls=2),
    "rate limit": Way(echo(200), {"rate_limit": {"rates": ["1/h"], "when_full": "fail"}}, calls=2),
    "wrong argument": Way(echo(200), arguments={"nope": 1}),
    "fallback": Way(echo(500), {}, {**TYPED, "fallback": {"value": {"n": 1}}}),
    "fallback that raises": Way(echo(500), {}, {**TYPED, "fallback": {"python": lambda error: 1 / 0}}),
    "raising function of the listener": Way(echo(500)),
}  # fmt: skip
