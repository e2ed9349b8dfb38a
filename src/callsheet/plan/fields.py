"""The header fields of a request, and its body as they describe it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from callsheet.errors import ArgumentError
from callsheet.http.body import Body
from callsheet.http.headers import Headers, check_field
from callsheet.http.streamed_body import gzipped
from callsheet.plan.idempotency import key_field
from callsheet.plan.plan import Given
from callsheet.secret import Secret
from callsheet.settings.idempotency_key import IdempotencyKey

MULTIPART = "multipart/form-data; boundary="
Field = tuple[str, str | Secret]


def merged_headers(
    headers: Headers,
    extra: Iterable[Field],
    given: Given,
    body: Body | None,
    *,
    compress: str | None,
    key: IdempotencyKey,
) -> tuple[Headers, Body | None]:
    """Constant fields under those of this call, and the body as it is sent.

    The body's own content type beats a constant one, and yields to one of this call. Raises ArgumentError.
    """
    if given.headers is not None and not isinstance(given.headers, Mapping):
        raise ArgumentError(f"headers: expected a mapping from name to text, found {type(given.headers).__name__}")
    fields = [field for field in extra if not _names(given.headers, field[0].lower())]
    for name, value in (given.headers or {}).items():
        if value is not None:
            check_field(name, value)
            fields.append((name, value))
    if given.idempotency_key is not None:
        fields = [field for field in fields if field[0].lower() != key.header.lower()]
        fields.append(key_field(given.idempotency_key, key))
    if body is not None:
        fields = _typed(fields, body)
        if compress and body.content != b"" and _value("content-encoding", fields) is None:
            body = gzipped(body)
            fields.append(("Content-Encoding", compress))
    return headers.with_fields(fields) if fields else headers, body


def _names(headers: Mapping[str, str] | None, wanted: str) -> bool:
    return any(name.lower() == wanted and value is not None for name, value in (headers or {}).items())


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
