"""Makes the bodies of requests: of declared operations from their arguments, of undeclared ones from what they are given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from callsheet.errors import ArgumentError, SheetError
from callsheet.http.body import Body, Content
from callsheet.http.json import MEDIA_TYPE, dumps, loads
from callsheet.http.streamed_body import body_from
from callsheet.plan.plan import Given
from callsheet.plan.request_parts import RequestParts, found_value
from callsheet.secret import Secret
from callsheet.sheet.words.operation import MISSING, Operation, Parameter
from callsheet.values import form
from callsheet.values.codec import Codec, codec_for
from callsheet.values.mismatch import Mismatch, place
from callsheet.values.multipart import Multipart
from callsheet.values.text import Texter
from callsheet.values.typeref import FILE, TypeRef


class BodyBinder(Protocol):
    """Makes the body of a declared operation from the arguments that are not parameters.

    `fields` are the names it takes, None where any will do; `constants` those whose value the sheet has. `content_type`
    is that of every body it makes, None if each has its own. `instead` ends the sentence "`json`: this operation ...",
    None where `json` is taken.
    """

    fields: frozenset[str] | None
    constants: frozenset[str]
    content_type: str | None
    instead: str | None

    def bind(self, fields: Mapping[str, Any], given: Given, parts: RequestParts) -> Body | None:
        """The body; what is wrong is added to the problems of the parts."""


def body_binder(operation: Operation) -> BodyBinder:
    """The binder for the body of an operation. Raises SheetError for a type that cannot be imported or built."""
    if operation.json is not None:
        return JsonBody(codec_for(operation.json))
    if isinstance(operation.form, TypeRef):
        return TypedForm(codec_for(operation.form))
    if operation.form is not None:
        return FormBody(operation.form)
    if operation.multipart is not None:
        return MultipartBody(operation.multipart)
    return NoBody() if operation.content is None else ContentBody(operation.content)


class NoBody:
    """No body is declared."""

    fields: frozenset[str] | None = frozenset()
    constants: frozenset[str] = frozenset()
    content_type: str | None = None
    instead: str | None = "declares no body"

    def bind(self, fields: Mapping[str, Any], given: Given, parts: RequestParts) -> Body | None:
        """None: no body is sent."""
        return None


class JsonBody:
    """JSON of a declared type, given whole or field by field."""

    constants: frozenset[str] = frozenset()
    content_type: str | None = MEDIA_TYPE
    instead: str | None = None

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self.fields = codec.fields

    def bind(self, fields: Mapping[str, Any], given: Given, parts: RequestParts) -> Body | None:
        """The JSON; what is wrong is added to the problems of the parts."""
        if parts.problems:
            return None
        try:
            if given.json is not None:
                return Content(self._codec.encode(given.json), MEDIA_TYPE)
            return Content(self._codec.encode_fields(_without_none(fields)), MEDIA_TYPE)
        except Mismatch as mismatch:
            parts.problems.extend(problems_of(mismatch))
            return None


class TypedForm:
    """A form with the fields of a declared type, each as the JSON of that type has it."""

    constants: frozenset[str] = frozenset()
    content_type: str | None = form.MEDIA_TYPE
    instead: str | None = "sends a form; give its fields by name"

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self.fields = codec.fields

    def bind(self, fields: Mapping[str, Any], given: Given, parts: RequestParts) -> Body | None:
        """The form; what is wrong is added to the problems of the parts."""
        if parts.problems:
            return None
        try:
            return Content(form.form(loads(self._codec.encode_fields(_without_none(fields)))), form.MEDIA_TYPE)
        except Mismatch as mismatch:
            parts.problems.extend(problems_of(mismatch))
        except ValueError as error:
            parts.problems.append(f"form: {error}")
        return None


def _without_none(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def problems_of(mismatch: Mismatch) -> Iterable[str]:
    """What is wrong with a body, field by field."""
    for error in mismatch.errors:
        path = place(error).removesuffix(": ")
        yield f"`{path}` (body): {error['msg']}" if path else f"body: {error['msg']}"


class FieldBinder:
    """Checks the argument of one declared field."""

    def __init__(self, parameter: Parameter) -> None:
        self.parameter = parameter
        self.name = parameter.name
        self.argument = parameter.argument
        self.is_file = parameter.type.value == FILE
        self._is_secret = parameter.secret or isinstance(parameter.value, Secret)
        self._texter = None if self.is_file else Texter(parameter.type)

    @property
    def described(self) -> str:
        """The location and type of the field, for a message."""
        expected = self._texter.expected if self._texter else FILE
        return f"{self.parameter.location}, {expected}"

    def checked(self, value: Any, parts: RequestParts) -> Any:
        """The value, converted to the declared type; None if it does not fit, which is added to the problems of the parts."""
        if self._texter is None:
            return value
        try:
            found = self._texter.checked(value)
            texts = [text for _, text in form.flat([(self.name, found)])]
        except ValueError as error:
            shown = "" if self._is_secret else f", found {found_value(value)}"
            parts.problems.append(f"`{self.argument}` ({self.described}): {error}{shown}")
            return None
        if self._is_secret:
            parts.secrets += map(Secret, texts)
        return found

    def constant(self, parts: RequestParts) -> Any:
        """The value fixed on the sheet; the text of a secret is read now."""
        value = self.parameter.value
        if isinstance(value, Secret):
            text = value.reveal()
            try:
                value = self._texter.value_of(text) if self._texter else text
            except ValueError:
                value = text
        return self.checked(value, parts)


class DeclaredFields:
    """The fields of a form or multipart body, each with its type."""

    def __init__(self, parameters: tuple[Parameter, ...]) -> None:
        self._binders = tuple(map(FieldBinder, parameters))
        constants = [binder.argument for binder in self._binders if binder.parameter.value is not MISSING]
        self.constants = frozenset(constants)
        self.fields: frozenset[str] | None = frozenset(b.argument for b in self._binders) - self.constants
        self._check_constants()

    def _check_constants(self) -> None:
        """Raise SheetError for a fixed value that does not fit its type; a secret is only read, and checked, by a call."""
        for binder in self._binders:
            parts, value = RequestParts(), binder.parameter.value
            if value is not MISSING and not isinstance(value, Secret):
                binder.constant(parts)
            if parts.problems:
                where = f"{binder.parameter.where}: " if binder.parameter.where else ""
                raise SheetError(f"{where}value of {parts.problems[0]}")

    def taken(self, fields: Mapping[str, Any], parts: RequestParts) -> list[tuple[FieldBinder, Any]]:
        """Each field that has a value, in the order of the sheet."""
        found: list[tuple[FieldBinder, Any]] = []
        for binder in self._binders:
            if binder.parameter.value is not MISSING:
                found.append((binder, binder.constant(parts)))
                continue
            value = fields.get(binder.argument)
            if value is not None:
                found.append((binder, binder.checked(value, parts)))
            elif binder.parameter.required:
                parts.problems.append(f"`{binder.argument}` ({binder.described}): missing")
        return found


class FormBody(DeclaredFields):
    """A form with declared fields."""

    content_type: str | None = form.MEDIA_TYPE
    instead: str | None = "sends a form; give its fields by name"

    def bind(self, fields: Mapping[str, Any], given: Given, parts: RequestParts) -> Body | None:
        """The form; what is wrong is added to the problems of the parts."""
        taken = self.taken(fields, parts)
        try:
            return Content(form.form((binder.name, value) for binder, value in taken), form.MEDIA_TYPE)
        except ValueError as error:
            parts.problems.append(f"form: {error}")
            return None


class MultipartBody(DeclaredFields):
    """A multipart body with declared fields and files."""

    content_type: str | None = None
    instead: str | None = "sends a multipart body; give its fields and files by name"

    def bind(self, fields: Mapping[str, Any], given: Given, parts: RequestParts) -> Body | None:
        """The body, its files still to be read; what is wrong is added to the problems of the parts."""
        taken = self.taken(fields, parts)
        if parts.problems:
            return None
        files = [(binder.name, value) for binder, value in taken if binder.is_file]
        try:
            return Multipart(files, [(binder.name, value) for binder, value in taken if not binder.is_file])
        except (ValueError, ArgumentError) as error:
            parts.problems.append(f"multipart: {error}")
            return None


class ContentBody:
    """A body of a declared media type, given as `content` and sent as it is."""

    fields: frozenset[str] | None = frozenset({"content"})
    constants: frozenset[str] = frozenset()
    instead: str | None = "sends its `content` as it is; give that"

    def __init__(self, media_type: str) -> None:
        self.content_type: str | None = media_type

    def bind(self, fields: Mapping[str, Any], given: Given, parts: RequestParts) -> Body | None:
        """The body, still to be read if it is a file or an iterator."""
        content = fields.get("content")
        if content is None:
            parts.problems.append(f"`content` (body, {self.content_type}): missing")
            return None
        try:
            return body_from(content, self.content_type)
        except ArgumentError as error:
            parts.problems.append(str(error))
            return None


def body_of(given: Given) -> Body | None:
    """The body of an undeclared request. Raises ArgumentError for two bodies, or a value that cannot be encoded."""
    files = given.files or None  # as in `requests`: empty `files` make no multipart body
    both = [name for name, value in _kinds(given, files) if value is not None]
    if len(both) > 1:
        raise ArgumentError(f"`{both[0]}` and `{both[1]}` are both given; a request has one body")
    if given.json is not None:
        return _json(given.json)
    if given.content is not None:
        return body_from(given.content)
    if files is None:
        return None if given.data is None else Content(_form(given.data), form.MEDIA_TYPE)
    return _multipart(files, given.data)


def _kinds(given: Given, files: Any) -> tuple[tuple[str, Any], ...]:
    fields = ("data", given.data) if files is None else ("files", files)
    return ("json", given.json), ("content", given.content), fields


def _json(value: Any) -> Content:
    try:
        return Content(dumps(value), MEDIA_TYPE)
    except ValueError as error:
        raise ArgumentError(f"json: {error}") from None


def _form(data: Any) -> bytes:
    try:
        return form.form(data)
    except ValueError as error:
        raise ArgumentError(f"data: {error}") from None


def _multipart(files: Any, data: Any) -> Multipart:
    try:
        fields = list(form.flat(data or ()))
    except ValueError as error:
        raise ArgumentError(f"data: {error}") from None
    try:
        return Multipart(files, fields)
    except ValueError as error:
        raise ArgumentError(f"files: {error}") from None
