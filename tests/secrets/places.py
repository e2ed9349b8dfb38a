"""Every place where a secret can stand, and every source it can come from."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import quote

from callsheet import Secret
from tests.auth.keys import pair
from tests.servers.token_giver import token_for

NONE: Mapping[str, Any] = MappingProxyType({})


def keyed(request, *, key):
    return request.plus("X-K", key)


class Stood(NamedTuple):
    """What a sheet has there, what the call is given, and which texts must not be seen."""

    service: Mapping[str, Any] = NONE
    operation: Mapping[str, Any] = NONE
    arguments: Mapping[str, Any] = NONE
    canaries: tuple[str, ...] = ()
    is_sent: bool = True
    top: Mapping[str, Any] = NONE


PLACES = {
    "bearer": lambda c, file: Stood({"auth": {"bearer": "${CANARY}"}}),
    "bearer from a file": lambda c, file: Stood({"auth": {"bearer": file}}),
    "bearer from a function": lambda c, file: Stood({"auth": {"bearer": lambda: c}}),
    "bearer written out": lambda c, file: Stood({"auth": {"bearer": c}}),
    "basic": lambda c, file: Stood({"auth": {"basic": {"username": "ada", "password": "${CANARY}"}}}),
    "basic from a file": lambda c, file: Stood({"auth": {"basic": {"username": "ada", "password": file}}}),
    "basic from a function": lambda c, file: Stood({"auth": {"basic": {"username": "ada", "password": lambda: c}}}),
    "key in a header": lambda c, file: Stood({"auth": {"api_key": {"header": "X-Key", "value": "${CANARY}"}}}),
    "key in a header from a function": lambda c, file: Stood(
        {"auth": {"api_key": {"header": "X-Key", "value": lambda: c}}}
    ),
    "key in the query": lambda c, file: Stood({"auth": {"api_key": {"query": "k", "value": "${CANARY}"}}}),
    "key in the query from a function": lambda c, file: Stood({"auth": {"api_key": {"query": "k", "value": lambda: c}}}),
    "key in the query from a file": lambda c, file: Stood({"auth": {"api_key": {"query": "k", "value": file}}}),
    "key in a cookie": lambda c, file: Stood({"auth": {"api_key": {"cookie": "k", "value": "${CANARY}"}}}),
    "key in a cookie from a file": lambda c, file: Stood({"auth": {"api_key": {"cookie": "k", "value": file}}}),
    "secret of a JWT": lambda c, file: Stood(
        {"auth": {"jwt": {"secret": "${CANARY}" + "x" * 64, "algorithm": "HS256"}}}, is_sent=False
    ),
    "key of a JWT": lambda c, file: Stood(
        {"auth": {"jwt": {"key": Secret(pair("EdDSA")[0]), "algorithm": "EdDSA"}}},
        canaries=(pair("EdDSA")[0].splitlines()[1],),
        is_sent=False,
    ),
    "claim of a JWT": lambda c, file: Stood(
        {"auth": {"jwt": {"secret": Secret("k" * 64), "claims": {"t": "${CANARY}"}}}}, is_sent=False
    ),
    "header": lambda c, file: Stood({"headers": {"X-Token": "Token ${CANARY}"}}),
    "header from a function": lambda c, file: Stood({"headers": {"X-Any": Secret("Token ", lambda: c)}}),
    "header from a file": lambda c, file: Stood({"headers": {"X-Any": file}}),
    "params": lambda c, file: Stood({"params": {"k": "${CANARY}", "l": ["${CANARY}", 1]}}),
    "params from a function": lambda c, file: Stood({"params": {"k": lambda: c}}),
    "value of a query parameter": lambda c, file: Stood({}, {"query": {"k": {"value": "${CANARY}"}}}),
    "value of a header parameter": lambda c, file: Stood({}, {"header": {"X-K": {"value": "${CANARY}"}}}),
    "value of a form field": lambda c, file: Stood(
        {}, {"post": "/x", "form": {"k": {"type": "string", "value": "${CANARY}"}}}
    ),
    "path": lambda c, file: Stood(
        {}, {"get": "/x/{t}", "path": {"t": {"type": "string", "secret": True}}}, {"t": c}
    ),
    "query": lambda c, file: Stood({}, {"query": {"t": {"type": "string", "secret": True}}}, {"t": c}),
    "header argument": lambda c, file: Stood({}, {"header": {"X-T": {"type": "string", "secret": True}}}, {"x_t": c}),
    "form": lambda c, file: Stood(
        {}, {"post": "/x", "form": {"t": {"type": "string", "secret": True}}}, {"t": c}
    ),
    "multipart": lambda c, file: Stood(
        {}, {"post": "/x", "multipart": {"t": {"type": "string", "secret": True}}}, {"t": c}
    ),
    "the caller's own header": lambda c, file: Stood({}, {}, {"headers": {"Authorization": f"Bearer {c}"}}),
    "secret of a client": lambda c, file: Stood(
        {"auth": {"oauth2": {"token_url": "SERVER/token", "client_id": "shop", "client_secret": "${CANARY}"}}},
        is_sent=False,
    ),
    "secret of a client in the body": lambda c, file: Stood(
        {"auth": {"oauth2": {"token_url": "SERVER/token", "client_id": "shop", "client_secret": file, "client_auth": "body"}}},
        is_sent=False,
    ),
    "secret of a client from a function": lambda c, file: Stood(
        {"auth": {"oauth2": {"token_url": "SERVER/token", "client_id": "shop", "client_secret": lambda: c}}}, is_sent=False
    ),
    "token of a provider": lambda c, file: Stood(
        {"auth": {"oauth2": {"token_url": "TOKENS", "client_id": "shop", "refresh_token": "${CANARY}"}}},
        canaries=(c, token_for(c)),
        is_sent=False,
    ),
    "option of a function": lambda c, file: Stood({"auth": {"python": keyed, "key": "${CANARY}"}}),
    "key of an HMAC": lambda c, file: Stood(
        {"sign": {"hmac": {"key": "${CANARY}" + "x" * 16}}}, is_sent=False
    ),
    "key of an HTTP signature": lambda c, file: Stood(
        {"sign": {"http_signature": {"key": "${CANARY}" + "x" * 64, "key_id": "k", "algorithm": "hmac-sha256"}}},
        is_sent=False,
    ),
    "credentials of AWS": lambda c, file: Stood(
        {
            "sign": {
                "aws": {
                    "service": "execute-api",
                    "region": "eu-west-1",
                    "credentials": {"access_key": "AKIA", "secret_key": "${CANARY}", "session_token": "${CANARY}"},
                }
            }
        }
    ),
    "password of a proxy": lambda c, file: Stood(
        {"proxy": f"http://ada:{quote(c, safe='')}@PROXY"}, canaries=(c, quote(c, safe="")), is_sent=False
    ),
    "password of a store": lambda c, file: Stood(
        {"rate_limit": "1000/s"},
        canaries=(c, quote(c, safe="")),
        top={"stores": {"limits": f"valkey://:{quote(c, safe='')}@REFUSED/0", "on_failure": "local"}},
        is_sent=False,
    ),
}  # fmt: skip
