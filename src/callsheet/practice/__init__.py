"""A small honest REST service to try everything on: in memory, on loopback, the same every time.

| where | what |
| --- | --- |
| `GET /` | the list of endpoints, each with its parameters |
| `GET, POST /users` and `GET, PUT, PATCH, DELETE /users/{id}` | users; `status`, `page`, `size`; Idempotency-Key |
| `GET, POST /orders`, `GET /orders/count` | orders by `key`; the first `lost` answers are lost; what arrived is counted |
| `/status/{code}` | that status, with `retry_after`, `retry_after_ms` as given, once or more |
| `/flaky/{key}`, `GET /flaky/{key}/attempts` | fails `failures` times with `status` or `how=drop`, `how=reset`, then works |
| `/drop`, `/truncated/{size}` | no answer, or `how=reset`; half an answer |
| `/slow`, `/drip` | late by `seconds`; `bytes` bytes with a `pause` before each |
| `/echo/{path:path}` | the request as it arrived, any method |
| `POST, PUT /uploads` | size and SHA-256 of the raw body; 413 over `most` |
| `GET /bytes/{size}` | bytes with Range and If-Range; `ranges=false`; `cut` breaks off |
| `GET /stream/{count}`, `GET /events` | JSON lines; server-sent events, `count` of them; `pause` |
| `GET /pages/numbered`, `/pages/offset`, `/pages/cursor` | 250 items by `page` and `size`; `offset`, `limit`; `cursor` |
| `GET /pages/link`, `/pages/next`, `/pages/endless` | by Link header; by a path in the body; never ending |
| `/cached/{key}`, `GET /cached/{key}/count` | `control`, `vary`, ETag and 304; PUT makes a new version |
| `/limited/{key}`, `GET /limited/{key}/count` | `limit` requests per `window` seconds, then 429 with Retry-After |
| `POST /token`, `GET /token/count`, `POST /token/revoke` | OAuth 2.0 tokens; `expires_in`, `seconds` |
| `/me`, `GET /basic/{user}/{password}`, `GET /key` | ask for a bearer token, a password, an API key |
| `GET /envelope/users`, `/envelope/users/{id}`, `/envelope/flaky/{key}` | always 200; the code is in the body |
| `GET /gzip`, `GET /deflate` | a coded answer |
| `/redirect/{hops}`, `/redirect` | a chain with `status`; one hop `to` anywhere |
| `GET /cookies`, `/cookies/set`, `/cookies/clear` | cookies |

`callsheet.yaml` beside this file declares the main ones; `SHEET` is its path. Running it needs the extra `practice`.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from callsheet.practice.app import create_app
    from callsheet.practice.server import PracticeServer, serve

__all__ = ["SHEET", "PracticeServer", "create_app", "serve"]

SHEET = Path(__file__).with_name("callsheet.yaml")
"""The path of a sheet that declares the practice API."""

EXTRA = ("starlette", "uvicorn", "h11", "anyio")


def __getattr__(name: str) -> Any:
    # Imported late, so that the models work without the extra, and so that a missing extra is one clear error.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from callsheet.practice import app, server  # noqa: PLC0415 - see above
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in EXTRA:
            raise
        reason = f'the practice API needs {missing}: pip install "callsheet[practice]"'
        raise ModuleNotFoundError(reason, name=missing) from None
    return getattr(app if name == "create_app" else server, name)
