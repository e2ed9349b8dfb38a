"""Compiles operations and their settings to plans."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from callsheet.auth.constant import ConstantCredential, constant_credential
from callsheet.auth.signers import unsent_keys
from callsheet.errors import ArgumentError, SheetError
from callsheet.events import Listener
from callsheet.http.cross_origin import harmless, spelled
from callsheet.http.headers import TOKEN, Headers, check_field
from callsheet.http.request import Origin, Request, host_of, origin_of
from callsheet.plan.binders import Arguments, listed, query_pairs
from callsheet.plan.bodies import body_binder, body_of
from callsheet.plan.fields import merged_headers
from callsheet.plan.idempotency import key_field, keying
from callsheet.plan.order import pipeline
from callsheet.plan.other_origins import (
    Destination,
    check_allowed,
    check_given,
    check_untold,
    is_absolute,
    keyed_at_home,
    place_of,
    proving_names,
)
from callsheet.plan.path import checked_target, split_template
from callsheet.plan.plan import Bind, Given, Plan
from callsheet.plan.request_parts import RequestParts
from callsheet.plan.results import AS_IT_IS, Results, results_of
from callsheet.policies.scope import Own, Scope
from callsheet.secret import MASK, Secret, redact
from callsheet.settings.idempotency_key import IdempotencyKey
from callsheet.settings.settings import Settings
from callsheet.sheet.words.operation import Operation
from callsheet.version import USER_AGENT


class RequestBase:
    """What every request of a service begins with: origin, path prefix, constant headers and query."""

    def __init__(self, settings: Settings, secrets: Iterable[Secret] = ()) -> None:
        credential = constant_credential(settings.auth)
        self.prefix = url_prefix(settings.base_url)
        self.origin: Origin = origin_of(self.prefix)
        self.headers = _headers(settings, credential)
        self.settings = settings
        self.later = credential.later
        self.compress = settings.compress
        self.key = settings.idempotency_key or IdempotencyKey()
        masked = dict.fromkeys((*secrets, *credential.secrets))
        unsent = (*credential.unsent, *unsent_keys(settings.sign))
        self.secrets = tuple(secret for secret in masked if secret not in unsent)
        self._params = (*settings.params.items(), *credential.params)
        self.is_constant = all(secret.is_constant for _, value in self._params for secret in _secrets_in(value))
        self._query = self._written(self._params) if self.is_constant else ()
        self.shown_query = tuple(pair for name, value in self._params for pair in _shown_pairs(name, value))

    def query(self) -> tuple[tuple[str, ...], tuple[Secret, ...]]:
        """The constant parameters, encoded for the wire, and the secrets that were read for them just now.

        Raises AuthError for a secret that cannot be read.
        """
        if self.is_constant:
            return self._query, ()
        params = tuple((name, _replaced(value, lambda secret: secret.now())) for name, value in self._params)
        return self._written(params), tuple(secret for _, value in params for secret in _secrets_in(value))

    def _written(self, params: Iterable[tuple[str, Any]]) -> tuple[str, ...]:
        return tuple(query_pairs([(name, _replaced(value, lambda secret: secret.reveal())) for name, value in params]))


def joined_url(start: str, path: str, query: Iterable[str]) -> str:
    """The URL that begins with `start`, goes on with a path (which may have a query already), and ends with the query."""
    joined = "&".join(query)
    return f"{start}{path}{'&' if '?' in path else '?'}{joined}" if joined else start + path


def _headers(settings: Settings, credential: ConstantCredential) -> Headers:
    fields: dict[str, tuple[str, str | Secret]] = {"user-agent": ("User-Agent", USER_AGENT)}
    for name, value in (*settings.headers.items(), *credential.headers):
        try:
            if isinstance(value, str) or value.is_constant:  # others are checked each time they are read
                check_field(name, value.reveal() if isinstance(value, Secret) else value)
        except ArgumentError as error:
            raise SheetError(str(error)) from None
        fields[name.lower()] = (name, value)
    for name in credential.later:
        fields.pop(name.lower(), None)
    return Headers(fields.values())


def _shown_pairs(name: str, value: Any) -> list[str]:
    values = value if isinstance(value, list | tuple) else [value]
    masked = f"{quote(name, safe='')}={MASK}"
    return [pair for one in values for pair in ([masked] if isinstance(one, Secret) else query_pairs([(name, one)]))]


def _secrets_in(value: Any) -> list[Secret]:
    return [one for one in (value if isinstance(value, list | tuple) else [value]) if isinstance(one, Secret)]


def _replaced(value: Any, made: Callable[[Secret], Any]) -> Any:
    """The value with what `made` makes of each secret in it."""
    if isinstance(value, list | tuple):
        return [_replaced(one, made) for one in value]
    return made(value) if isinstance(value, Secret) else value


def url_prefix(base_url: str) -> str:
    """The base URL as it stands on the wire: host in ASCII (IDNA), no slash at the end."""
    parts = urlsplit(base_url)
    host = host_of(parts)
    if not host.isascii():
        host = host.encode("idna").decode()
    host = f"[{host}]" if ":" in host else host
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{host}{port}{quote(parts.path, safe='/%:@!$&()*+,;=~-._').rstrip('/')}"


class OperationBinder:
    """Makes the request of a declared operation from the arguments of a call."""

    def __init__(self, operation: Operation, base: RequestBase) -> None:
        binder = body_binder(operation)
        self._base = base
        self._method = operation.method
        self._is_stream = bool(operation.stream)
        self._arguments = Arguments(operation, binder)
        self._pieces, self._names = split_template(operation.path or "/")
        if not operation.path and urlsplit(base.prefix).path:
            self._pieces = [""]
        _check_names(operation, self._names)
        kind = binder.content_type
        self._body_headers = base.headers.with_fields([("Content-Type", kind)]) if kind and not base.compress else None
        is_constant = base.is_constant and not self._arguments.takes_parameters
        self._urls = self._urls_of(RequestParts(), base.query()[0]) if is_constant else None

    def __call__(self, arguments: Mapping[str, Any], given: Given) -> Request:
        """The request. Raises ArgumentError; nothing has been sent."""
        parts, body = self._arguments.bind(arguments, given)
        base = self._base
        query, read = base.query()
        secrets = (*base.secrets, *read, *parts.secrets) if parts.secrets or read else base.secrets
        if self._urls:
            wire_url, shown_url = self._urls
        else:
            wire_url, shown_url = self._urls_of(parts, query)
            if secrets:
                shown_url = redact(shown_url, secrets)  # an argument may be a secret of the sheet
        headers = base.headers if body is None else self._body_headers
        if parts.headers or given.headers or headers is None:
            headers, body = merged_headers(
                base.headers, parts.headers, given, body, compress=base.compress, key=base.key
            )
        elif given.idempotency_key is not None:
            headers = headers.plus(*key_field(given.idempotency_key, base.key))
        return Request(
            self._method,
            shown_url,
            headers,
            body,
            wire_url=wire_url,
            secrets=secrets,
            is_stream=self._is_stream or given.is_stream,
            origin=base.origin,
        )

    def _urls_of(self, parts: RequestParts, query: tuple[str, ...]) -> tuple[str, str]:
        """The URL for the wire, and the one that may be shown, with its secrets masked."""
        base = self._base
        wire_url = joined_url(base.prefix, self._path(parts.segments), (*query, *parts.query))
        if not parts.secrets and query == base.shown_query:
            return wire_url, wire_url
        shown_query = (*base.shown_query, *parts.shown_query)
        return wire_url, joined_url(base.prefix, self._path(parts.shown_segments), shown_query)

    def _path(self, segments: Mapping[str, str]) -> str:
        if not self._names:
            return self._pieces[0]
        written = [self._pieces[0]]
        for name, piece in zip(self._names, self._pieces[1:], strict=True):
            written += (segments[name], piece)
        return "".join(written)


def _check_names(operation: Operation, names: list[str]) -> None:
    declared = [parameter.name for parameter in operation.parameters if parameter.location == "path"]
    if sorted(declared) != sorted(names):
        where = f"{operation.where}: " if operation.where else ""
        raise SheetError(f"{where}path {operation.path!r} has {listed(names)}, and declared are {listed(declared)}")


def undeclared_request(base: RequestBase, method: str, target: str, given: Given) -> Request:
    """The request of `service.get("/path")`, or of an absolute URL on an origin that the service may go to.

    Raises ArgumentError, or OriginRefused for any other origin; nothing has been sent.
    """
    if not TOKEN.match(method):
        raise ArgumentError(f"method {method!r}: expected letters, as in GET")
    place = place_of(target) if is_absolute(target) else None
    if place is not None and place.origin != base.origin:
        return request_elsewhere(base, method, place, given)
    (query, read), shown_query = base.query(), base.shown_query
    if place is not None:
        start, path = spelled(base.origin), place.path
        query, shown_query = _less(path, query), _less(path, shown_query)
    else:
        start, path = base.prefix, checked_target(target)
    pairs = query_pairs(given.params) if given.params else []
    headers, body = merged_headers(
        base.headers, (), given, body_of(given, method), compress=base.compress, key=base.key
    )
    wire_url = joined_url(start, path, (*query, *pairs))
    shown_url = wire_url if shown_query == query else joined_url(start, path, (*shown_query, *pairs))
    secrets = (*base.secrets, *read) if read else base.secrets
    return Request(
        method.upper(),
        redact(shown_url, secrets) if secrets else shown_url,
        headers,
        body,
        wire_url=wire_url,
        secrets=secrets,
        is_stream=given.is_stream,
        origin=base.origin,
    )


def _less(path: str, query: tuple[str, ...]) -> tuple[str, ...]:
    """The constant parameters but for those that the URL has: a link that the service gave may contain them already."""
    named = {pair.partition("=")[0] for pair in path.partition("?")[2].split("&")}
    return tuple(pair for pair in query if pair.partition("=")[0] not in named)


def request_elsewhere(base: RequestBase, method: str, place: Destination, given: Given) -> Request:
    """The request to another origin: with all that the caller gave, and of the sheet only the harmless header fields.

    Raises OriginRefused, and ArgumentError for a credential among what the caller gave.
    """
    check_allowed(place, base.settings)
    check_given(given.headers, proving_names(base.headers.fields, base.later))
    pairs = query_pairs(given.params) if given.params else []
    sent = harmless(base.headers)
    headers, body = merged_headers(sent, (), given, body_of(given, method), compress=base.compress, key=base.key)
    url = joined_url(spelled(place.origin), place.path, pairs)
    request = Request(
        method.upper(), url, headers, body, secrets=base.secrets, is_stream=given.is_stream, origin=place.origin
    )
    check_untold(request, base.secrets)
    return request


def plan_of(
    operation: Operation,
    settings: Settings,
    scope: Scope,
    own: Own,
    *,
    listeners: tuple[Listener, ...],
    secrets: Iterable[Secret] = (),
) -> Plan:
    """The plan of a declared operation. Raises SheetError for types that cannot be imported or built."""
    bind = _leaving_out(scope.left_out, OperationBinder(operation, RequestBase(settings, secrets)))
    results = results_of(operation, settings)
    return _plan(operation, settings, scope, own, bind=bind, results=results, listeners=listeners)


def plan_of_undeclared(name: str, settings: Settings, scope: Scope, *, listeners: tuple[Listener, ...]) -> Plan:
    """The plan of a service's undeclared requests by one method; `name` is that method in lower case."""
    of = Operation(name, name.upper(), "")
    return _plan(of, settings, scope, Own(), bind=_no_binder, results=AS_IT_IS, listeners=listeners)


def _leaving_out(names: frozenset[str], bind: Bind) -> Bind:
    """A binder that makes the same requests, without these header fields."""
    return (lambda arguments, given: without_fields(bind(arguments, given), names)) if names else bind


def without_fields(request: Request, names: frozenset[str]) -> Request:
    """Remove these header fields from the request, whether the sheet or the caller gave them."""
    if names:
        request.headers = request.headers.without(names)
    return request


def _no_binder(arguments: Mapping[str, Any], given: Given) -> Request:
    raise ArgumentError("an undeclared request has no arguments")


def _plan(
    operation: Operation,
    settings: Settings,
    scope: Scope,
    own: Own,
    *,
    bind: Bind,
    results: Results,
    listeners: tuple[Listener, ...],
) -> Plan:
    key = settings.idempotency_key
    is_keyed = key is not None and operation.safe is not True and key.header.lower() not in scope.left_out
    return Plan(
        service=scope.service,
        operation=operation.name,
        method=operation.method,
        template=operation.path,
        stream=operation.stream,
        settings=settings,
        bind=bind,
        read=results.read,
        read_ignored=results.read_ignored,
        fallback=results.fallback,
        listeners=listeners,
        keyed=keyed_at_home(keying(key, operation.method), settings) if is_keyed else None,
        **pipeline(settings, scope, own)._asdict(),
    )
