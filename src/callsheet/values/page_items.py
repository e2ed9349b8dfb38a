"""Reads the items of one page from an answer."""

from __future__ import annotations

from typing import Any, NamedTuple

from callsheet.errors import DecodeError, Redirected, ValidationError
from callsheet.http.json import dumps
from callsheet.http.json_path import MISSING, ItemsPath, Misplaced, PagePath
from callsheet.http.response import Response
from callsheet.settings.pages import Paginate
from callsheet.values.codec import Codec, codec_for, resolve
from callsheet.values.mismatch import Mismatch
from callsheet.values.typeref import TypeRef

MOST_NAMED = 12
"""Keys of an answer that an error names."""
HEADER = "header:"


class Source:
    """Where one value of an answer stands: at a path in the body, or in a header field."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._field = text[len(HEADER) :].lower().encode() if text.startswith(HEADER) else None
        self._path = PagePath(text) if self._field is None else None

    def find(self, document: Any, response: Response) -> Any:
        """The value, MISSING if there is none; that of a header field is a text."""
        if self._path is not None:
            return self._path.find(document)
        found = response.field(self._field or b"")
        return MISSING if found is None else found


class PageContent(NamedTuple):
    """What an answer holds: its parsed body, and of it the items, of their declared type."""

    document: Any
    items: list[Any]


class PageReader:
    """Makes the content of a page from an answer. `codec` is that of a list of items; None leaves them plain Python."""

    def __init__(self, settings: Paginate, codec: Codec | None, data: str | None = None) -> None:
        path = settings.items or data
        self._path = None if path is None else ItemsPath(path)
        self._decode = None if codec is None else codec.decode
        token = settings.source if settings.kind == "cursor" else settings.name if settings.kind == "next" else None
        self._token = None if token is None else Source(token)

    def __call__(self, response: Response) -> PageContent:
        """The content of a successful answer. Raises Redirected for a 3xx, DecodeError, ValidationError."""
        if response.status_code >= 300:
            raise Redirected(f"{response.summary()}, where a page is declared", **response.facts())
        if not response.content and response.status_code in (204, 205):
            return NO_PAGE
        document = response.json()
        plain = self._plain(document, response)
        return PageContent(document, plain if self._decode is None else self._typed(plain, response))

    def items(self, response: Response) -> list[Any]:
        """The items alone. Raises what a call of the reader raises."""
        return self(response).items

    def _plain(self, document: Any, response: Response) -> list[Any]:
        if self._path is None:
            if isinstance(document, list):
                return document
            raise _misplaced(Misplaced("", document, document), response)
        try:
            return self._path.find(document)
        except Misplaced as wrong:
            if wrong.found is MISSING and wrong.parent is document and self._is_empty_page(document, response):
                return []
            raise _misplaced(wrong, response) from None

    def _is_empty_page(self, document: Any, response: Response) -> bool:
        """Whether a page without the list is one whose empty list was left out: it has a token, or nothing at all."""
        if self._token is None or not isinstance(document, dict):
            return False
        return not document or self._token.find(document, response) not in (MISSING, None, "", False)

    def _typed(self, plain: list[Any], response: Response) -> list[Any]:
        assert self._decode is not None
        try:
            found: list[Any] = self._decode(dumps(plain))
        except Mismatch as mismatch:
            wrong = mismatch.under((self._path.text,) if self._path else ())
            message = f"{response.status_code}: an item is not of the declared type: {response.masked(str(wrong))}"
            raise ValidationError(message, errors=response.masked_data(wrong.errors), **response.facts()) from None
        return found


NO_PAGE = PageContent({}, [])
"""The content of an answer without a body, and of a failure that an error rule ignores: the walk ends there."""


def no_page(response: Response) -> PageContent:
    """The content of a failure that an error rule ignores: the walk ends there."""
    return NO_PAGE


def _misplaced(wrong: Misplaced, response: Response) -> ValidationError | DecodeError:
    """The error for a page whose list of items is not where it should be: which keys there are instead."""
    parent = wrong.parent
    if not wrong.path:
        what = f"the page is {_kind(parent)} and not a list; write `items:` with the path of the list"
    elif wrong.found is MISSING:
        what = f"the page has no `{wrong.path}`"
    else:
        what = f"`{wrong.path}` of the page is {_kind(wrong.found)}, where a list of items was expected"
    keys = ", ".join(f"`{key[:40]}`" for key in list(parent)[:MOST_NAMED]) if isinstance(parent, dict) else ""
    has = (
        f"; it has {keys or 'no keys'}"
        if isinstance(parent, dict)
        else f"; it is {_kind(parent)}"
        if wrong.path
        else ""
    )
    error = {"type": "list_type", "loc": tuple(wrong.path.split(".")), "msg": "Input should be a list"}
    message = response.masked(f"{response.status_code}: {what}{has}")
    return ValidationError(message, errors=(error,), **response.facts())


def _kind(value: Any) -> str:
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "a number")


def list_codec(ref: TypeRef) -> Codec:
    """The codec of a list of this type. Raises SheetError for a type that cannot be imported or validated."""
    if ref.kind != "json_schema":
        return codec_for(TypeRef("python", list[resolve(ref)], ref.where))  # type: ignore[misc]
    defined = {"$defs": ref.value["$defs"]} if "$defs" in ref.value else {}
    schema = {"type": "array", "items": ref.value, **defined}
    return codec_for(TypeRef("json_schema", schema, ref.where, ref.definitions))
