"""Merges the header fields of a request with those that describe its body."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from callsheet.errors import ArgumentError
from callsheet.http.body import Body
from callsheet.http.headers import Headers, check_field
from callsheet.http.streamed_body import gzipped
from callsheet.plan.idempotency import key_field
from callsheet.plan.plan import Given, HeaderValues
from callsheet.secret import Secret
from callsheet.settings.idempotency_key import IdempotencyKey
from callsheet.unset import UNSET

MULTIPART = "multipart/form-data; boundary="
Field = tuple[str, str | Secret]


def merged_headers(
    headers: Headers,
    extra: Sequence[Field],
    given: Given,
    body: Body | None,
    *,
    compress: str | None,
    key: IdempotencyKey,
) -> tuple[Headers, Body | None]:
    """The constant fields and those of this call, which replace them, and the body, compressed if `compress` says so.

    The content type of the body replaces a constant one; one that the call gives replaces both. Raises ArgumentError.
    """
    if given.headers is not None and not isinstance(given.headers, Mapping):
        raise ArgumentError(f"headers: expected a mapping from name to text, found {type(given.headers).__name__}")
    if body is None and not extra and not given.headers and given.idempotency_key is None:
        return headers, None
    headers_of_call: HeaderValues = given.headers or {}
    own = [(name, value) for name, value in headers_of_call.items() if value is not None and value is not UNSET]
    for name, value in own:
        check_field(name, value)
    replaced = {name.lower() for name, _ in own}
    if len(replaced) < len(own):
        twice = next(
            name for index, (name, _) in enumerate(own) if name.lower() in {one.lower() for one, _ in own[:index]}
        )
        raise ArgumentError(f"headers: `{twice}` is given twice; names have no case, so remove one")
    fields: list[Field] = [*(field for field in extra if field[0].lower() not in replaced), *own]
    if given.idempotency_key is not None:
        fields = [field for field in fields if field[0].lower() != key.header.lower()]
        fields.append(key_field(given.idempotency_key, key))
    if body is not None:
        fields = _typed(fields, body)
        if compress and body.content != b"" and _value("content-encoding", fields) is None:
            body = gzipped(body)
            fields.append(("Content-Encoding", compress))
    return headers.with_fields(fields) if fields else headers, body


def _value(wanted: str, fields: Iterable[Field]) -> str | None:
    found = (value for name, value in fields if name.lower() == wanted)
    return next((value if isinstance(value, str) else value.reveal() for value in found), None)


def _typed(fields: list[Field], body: Body) -> list[Field]:
    own, chosen = body.content_type, _value("content-type", fields)
    if own is None:
        return fields
    if own.startswith(MULTIPART) and chosen is not None:
        fields = [field for field in fields if field[0].lower() != "content-type"]
        return [*fields, ("Content-Type", with_boundary(chosen, own))]
    if chosen is not None and chosen.strip().lower().startswith("multipart/"):
        raise ArgumentError(
            f"header `Content-Type`: the body is {own}, and no multipart; fields of one are given as `files`"
        )
    return [*fields, ("Content-Type", own)] if chosen is None else fields


def with_boundary(chosen: str, own: str) -> str:
    """The chosen kind of multipart with the body's own boundary. Raises ArgumentError for any other type."""
    kind, _, rest = chosen.partition(";")
    if not kind.strip().lower().startswith("multipart/") or "boundary" in rest.lower():
        raise ArgumentError(
            f"header `Content-Type`: {chosen[:60]!r} would hide the boundary of a multipart body; leave the header out, "
            "or give its kind alone: multipart/form-data"
        )
    return f"{chosen.rstrip('; ')}; {own.partition('; ')[2]}"
