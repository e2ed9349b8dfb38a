"""Makes the bodies of requests: of declared operations from their arguments, of undeclared requests from `json`, `data` ..."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, TypeVar

from callsheet.errors import ArgumentError
from callsheet.http.body import Body, Content
from callsheet.http.json import MEDIA_TYPE, dumps
from callsheet.http.streamed_body import body_from
from callsheet.plan.plan import Given
from callsheet.plan.request_parts import ArgumentBinder, RequestParts
from callsheet.secret import Secret
from callsheet.sheet.words.operation import MISSING, Operation, Parameter
from callsheet.unset import unset_parts, without_unset
from callsheet.values import form
from callsheet.values.codec import Codec, codec_for
from callsheet.values.mismatch import Mismatch, place
from callsheet.values.multipart import Multipart
from callsheet.values.text import Texter
from callsheet.values.typeref import FILE, TypeRef

Made = TypeVar("Made")
PARTIAL = "PATCH"
"""The method whose body says what to change (RFC 5789): a model as its body sends the fields that were set, and no defaults."""
SENDS_A_FORM = "sends a form; give its fields by name"


class BodyBinder:
    """Makes the body of a declared operation from the arguments that are not parameters.

    `fields` are the names of the arguments it takes, None if it takes any; `constants` are names whose value is fixed on the
    sheet. `content_type` is that of every body it makes, None if each body has its own. `instead` ends the sentence "`json`:
    this operation ..."; it is None if the caller may give `json`.
    """

    fields: frozenset[str] | None = frozenset()
    constants: frozenset[str] = frozenset()
    content_type: str | None = None
    instead: str | None = None

    def bind(self, fields: Mapping[str, Any], given: Given, parts: RequestParts) -> Body | None:
        """The body; what is wrong with the arguments is added to the problems of the parts."""
        raise NotImplementedError


def body_binder(operation: Operation) -> BodyBinder:
    """The binder for the body of an operation. Raises SheetError for a type that cannot be imported or built."""
    if operation.json is not None:
        return JsonBody(codec_for(operation.json, exclude_unset=operation.method == PARTIAL))
    if isinstance(operation.form, TypeRef):
        return TypedForm(codec_for(operation.form, exclude_unset=operation.method == PARTIAL))
    if operation.form is not None:
        return FormBody(operation.form)
    if operation.multipart is not None:
        return MultipartBody(operation.multipart)
    return NoBody() if operation.content is None else ContentBody(operation.content)


def declares(operation: Operation, argument: str) -> bool:
    """Whether the operation names this argument, as a parameter or a field. One that takes any field names only some."""
    body = operation.json or operation.form
    return argument in operation.arguments or (isinstance(body, TypeRef) and argument in codec_for(body).named)


class NoBody(BodyBinder):
    """For an operation that declares no body."""

    instead = "declares no body"

    def bind(self, fields: Mapping[str, Any], given: Given, parts: RequestParts) -> None:
        """None: no body is sent."""


class JsonBody(BodyBinder):
    """JSON of a declared type, given whole or field by field."""

    content_type = MEDIA_TYPE

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self.fields = codec.fields

    def bind(self, fields: Mapping[str, Any], given: Given, parts: RequestParts) -> Content | None:
        """The JSON; what does not fit the type is added to the problems of the parts."""
        if parts.problems:
            return None
        try:
            if given.json is not None:
                return Content(self._codec.encode(given.json), MEDIA_TYPE)
            return Content(self._codec.encode_fields(dict(fields)), MEDIA_TYPE)
        except Mismatch as mismatch:
            whole = fields, given.json
            if (unset := unset_parts(whole)) and unset_parts(plain := without_unset(whole)) != unset:
                return self.bind(plain[0], given._replace(json=plain[1]), parts)
            parts.problems.extend(problems_of(mismatch))
            return None


class TypedForm(JsonBody):
    """A form with the fields of a declared type, each with the value that it has in the JSON of that type."""

    content_type = form.MEDIA_TYPE
    instead = SENDS_A_FORM

    def bind(self, fields: Mapping[str, Any], given: Given, parts: RequestParts) -> Content | None:
        """The form; what does not fit the type is added to the problems of the parts."""
        body = super().bind({name: value for name, value in fields.items() if value is not None}, given, parts)
        try:
            # A number keeps its digits: it is the text that it has in JSON.
            read = partial(json.loads, parse_float=str)
            return None if body is None else Content(form.form(read(body.content)), form.MEDIA_TYPE)
        except ValueError as error:
            parts.problems.append(f"form: {error}")
            return None


def problems_of(mismatch: Mismatch) -> Iterable[str]:
    """What is wrong with a body, field by field."""
    for error in mismatch.errors:
        path = place(error).removesuffix(": ")
        yield f"`{path}` (body): {error['msg']}" if path else f"body: {error['msg']}"


class FieldBinder(ArgumentBinder):
    """Checks the argument of one declared field."""

    def __init__(self, parameter: Parameter) -> None:
        self.name = parameter.name
        self.is_file = parameter.type.value == FILE
        self._texter = None if self.is_file else Texter(parameter.type)
        super().__init__(parameter, self._texter)

    def bind(self, value: Any, parts: RequestParts) -> Any:
        """The value, converted to the declared type; None if it does not fit, which is added to the problems of the parts."""
        if self._texter is None:
            return value
        try:
            found = self._texter.checked(value)
            texts = [text for _, text in form.flat([(self.name, found)])]
        except ValueError as error:
            self.add_misfit(value, error, parts)
            return None
        if self.is_secret:
            parts.secrets += map(Secret, texts)
        return found


class DeclaredFields(BodyBinder):
    """The fields of a form or multipart body, each with its type."""

    def __init__(self, parameters: tuple[Parameter, ...]) -> None:
        self._binders = tuple(map(FieldBinder, parameters))
        constants = [binder.argument for binder in self._binders if binder.parameter.value is not MISSING]
        self.constants = frozenset(constants)
        self.fields = frozenset(binder.argument for binder in self._binders) - self.constants
        for binder in self._binders:
            binder.check_constant()

    def taken(self, fields: Mapping[str, Any], parts: RequestParts) -> list[tuple[FieldBinder, Any]]:
        """Each field that has a value, and that value, in the order of the sheet."""
        found: list[tuple[FieldBinder, Any]] = []
        for binder in self._binders:
            if binder.parameter.value is not MISSING:
                found.append((binder, binder.bind_constant(parts)))
            elif (value := fields.get(binder.argument)) is not None:
                found.append((binder, binder.bind(value, parts)))
            else:
                binder.add_missing(parts)
        return found


class FormBody(DeclaredFields):
    """A form with declared fields."""

    content_type = form.MEDIA_TYPE
    instead = SENDS_A_FORM

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

    instead = "sends a multipart body; give its fields and files by name"

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


class ContentBody(BodyBinder):
    """A body of a declared media type, given as `content` and sent as it is."""

    fields = frozenset({"content"})
    instead = "sends its `content` as it is; give that"

    def __init__(self, media_type: str) -> None:
        self.content_type = media_type

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


def body_of(given: Given, method: str = "POST") -> Body | None:
    """The body of an undeclared request by this method. Raises ArgumentError for two bodies, or a value that cannot be encoded."""
    files = given.files or None  # as in `requests`: empty `files` make no multipart body
    fields = ("data", given.data) if files is None else ("files", files)
    both = [name for name, value in (("json", given.json), ("content", given.content), fields) if value is not None]
    if len(both) > 1:
        raise ArgumentError(f"`{both[0]}` and `{both[1]}` are both given; a request has one body")
    if given.json is not None:
        encode = partial(dumps, exclude_unset=method.upper() == PARTIAL)
        return Content(_made("json", encode, given.json), MEDIA_TYPE)
    if given.content is not None:
        return body_from(given.content)
    if files is None:
        return None if given.data is None else Content(_made("data", form.form, given.data), form.MEDIA_TYPE)
    return _made("files", Multipart, files, _made("data", list, form.flat(given.data or ())))


def _made(argument: str, make: Callable[..., Made], *values: Any) -> Made:
    """What `make` makes of the values. If it raises ValueError, raises ArgumentError, which names the argument at fault."""
    try:
        return make(*values)
    except ValueError as error:
        raise ArgumentError(f"{argument}: {error}") from None
