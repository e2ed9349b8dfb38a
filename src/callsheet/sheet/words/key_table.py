"""THE table of keys of a service, an operation and `defaults`.

`places` says where a key may be written: d in `defaults`, s in a service, o in an operation. A key without a form is
known, but not supported yet. Reading, messages, overlays and the JSON Schema all follow this table.
"""

from __future__ import annotations

from callsheet.sheet.forms.record import Key
from callsheet.sheet.forms.scalars import SWITCH, Text
from callsheet.sheet.words.addresses import ADDRESSES, ALLOW_ORIGINS, BASE_URL
from callsheet.sheet.words.breaker import BREAKER
from callsheet.sheet.words.cache import CACHE
from callsheet.sheet.words.credentials import AUTH
from callsheet.sheet.words.envelope import ENVELOPE
from callsheet.sheet.words.error_rules import ErrorsForm
from callsheet.sheet.words.fallback import FALLBACK
from callsheet.sheet.words.headers_and_params import HEADERS, PARAMS
from callsheet.sheet.words.idempotency_key import HEADER_NAME, IdempotencyKeyForm
from callsheet.sheet.words.operations import OWN_KEYS
from callsheet.sheet.words.pages import PAGINATE
from callsheet.sheet.words.parameters import DATA
from callsheet.sheet.words.proxy import PROXY
from callsheet.sheet.words.rate_limit import RateLimitForm
from callsheet.sheet.words.retry import RETRY, RETRY_OF_OPERATION
from callsheet.sheet.words.signing import SIGN
from callsheet.sheet.words.stores import STORES
from callsheet.sheet.words.timeouts import TimeoutForm
from callsheet.sheet.words.tls import TLS, TLS_OF_DEFAULTS
from callsheet.sheet.words.traffic import CAPS, COMPRESS, CONCURRENCY, POOL, REDIRECTS

SETTINGS: tuple[Key, ...] = (
    Key("base_url", BASE_URL, "http or https; a path prefix is kept", "s"),
    Key("headers", HEADERS, "sent with every request", "dso"),
    Key("params", PARAMS, "sent in the query of every request", "dso"),
    Key("timeout", TimeoutForm(), "a duration within which a call ends, or its four parts", "dso"),
    Key("retry", RETRY, "off, or when a failed attempt is made again", "ds"),
    Key("retry", RETRY_OF_OPERATION, "off, or when a failed attempt is made again", "o"),
    Key("idempotent", SWITCH, "may be sent twice", "dso"),
    Key("idempotency_key", IdempotencyKeyForm(), "whether requests carry a key by which repetitions are known", "dso"),
    Key("breaker", BREAKER, "off, or when a failing service is left alone", "dso"),
    Key("rate_limit", RateLimitForm(), "how many requests in how much time", "dso"),
    Key("deadline_header", HEADER_NAME, "off, or the header that passes on the time left", "dso"),
    Key("envelope", ENVELOPE, "off, or where a body says if it is a success, and where its data is", "dso"),
    Key("errors", ErrorsForm(), "off, or what answers mean, rule by rule", "dso"),
    Key("fallback", FALLBACK, "off, or what a call gives when the service fails", "dso", is_replaced_whole=True),
    Key("concurrency", CONCURRENCY, "attempts in flight, and how many may wait", "dso"),
    Key("pool", POOL, "kept connections", "ds"),
    Key("caps", CAPS, "how large an answer may be", "dso"),
    Key("tls", TLS, "whom to trust, and as whom to be known", "s"),
    Key("tls", TLS_OF_DEFAULTS, "whom to trust", "d"),
    Key("redirects", REDIRECTS, "off, or which 3xx are followed", "dso"),
    Key("cookies", SWITCH, "whether the service has a jar of its own", "s"),
    Key("compress", COMPRESS, "off, or how request bodies are compressed", "dso"),
    Key("proxy", PROXY, "http, https, socks5 or socks5h; a proxy for all requests", "ds"),
    Key("trust_env", SWITCH, "whether the proxy variables of the environment count", "ds"),
    Key("http2", SWITCH, "speak HTTP/2 where the service does", "ds"),
    Key("user_agent", Text("a text of printable ASCII", r"[\x20-\x7e]+"), "the `User-Agent` header", "ds"),
    Key("auth", AUTH, "off, or one kind of credential", "so", is_replaced_whole=True),
    Key("sign", SIGN, "off, or one kind of signature", "so", is_replaced_whole=True),
    Key("paginate", PAGINATE, "off, or how one page of items leads to the next", "dso", is_replaced_whole=True),
    Key("cache", CACHE, "off, `http`, or for how long answers are kept", "dso", is_replaced_whole=True),
    Key("strict_responses", None, places="dso"),
    Key("allow_origins", ALLOW_ORIGINS, "where requests may go beside the service's own origin", "ds"),
    Key("addresses", ADDRESSES, "which addresses may be connected to", "ds"),
)
TEXTS: tuple[Key, ...] = (
    Key("description", Text(may_be_empty=True), "shown on the docs page", "ds"),
    Key("owner", Text(may_be_empty=True), "who looks after it", "ds"),
    Key("docs", Text(may_be_empty=True), "where its documentation is", "ds"),
)


def settings_of(place: str) -> tuple[Key, ...]:
    """The settings that may be written in `defaults` (d), a service (s) or an operation (o)."""
    return tuple(key for key in SETTINGS if place in key.places)


DEFAULTS_KEYS = (*settings_of("d"), *TEXTS)
SERVICE_KEYS = (*settings_of("s"), *TEXTS)
OPERATION_SETTINGS = settings_of("o")
OPERATION_KEYS = (*OWN_KEYS, *OPERATION_SETTINGS)
CODE_KEYS = settings_of("s")
OPERATIONS = Key("operations", DATA, "what can be called, by name")
TOP_KEYS = (
    Key("callsheet", DATA, "the version of the format: 1"),
    Key("default_environment", DATA, "the environment where none is chosen"),
    Key("defaults", DATA, "what every service starts from"),
    Key("services", DATA, "the APIs that are called, by name"),
    Key("environments", DATA, "what differs where, by name"),
    Key("schemas", DATA, "JSON Schemas (2020-12) by name"),
    Key("api_config", DATA, "a single service, written flat"),
    Key("stores", STORES, "where state lives that processes share"),
)
OVERLAY_KEYS = tuple(key for key in TOP_KEYS if key.name in ("defaults", "services", "schemas", "stores"))
