"""The secrets of a curl command: each is replaced by a variable wherever it stands, so that no sheet shows it."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from callsheet.cli.curl.shell_words import REFERENCE, Piece, Variable, free_name, joined, made_name
from callsheet.cli.preview import CREDENTIALS

if TYPE_CHECKING:
    from callsheet.cli.curl.command_line import CurlRequest

SECRET_QUERY = re.compile(
    r"(?:^|[_.-])(?:api_?key|key|token|secret|password|pass|pwd|sig|signature|auth|code)$", re.IGNORECASE
)
UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
SHORTEST_INSIDE = 4
"""Shortest secret that is looked for inside of longer texts: `ab` would be found in too many."""


@dataclass(slots=True)
class Secrets:
    """The variables for secrets: `names` by their values. `on_sheet` has the values of variables that the sheet refers to."""

    service: str
    on_sheet: Mapping[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    @classmethod
    def beside(cls, text: str, service: str, variables: Mapping[str, str]) -> Secrets:
        """No secrets yet, for a service of the sheet with this text."""
        return cls(service, {name: variables[name] for name in REFERENCE.findall(text) if variables.get(name)})

    def name(self, value: str, what: str) -> str:
        """The variable of a value: the sheet's own if one holds it, else one named after the service and `what`."""
        if value not in self.names:
            same = (name for name, held in self.on_sheet.items() if held == value)
            self.names[value] = next(same, None) or self._fresh(made_name(what), value)
        return self.names[value]

    def _fresh(self, what: str, value: str) -> str:
        service = made_name(self.service)
        name = what if what == service or what.startswith(f"{service}_") else f"{service}_{what}"
        taken = self.names.values()
        return free_name(name, lambda fresh: fresh in taken or self.on_sheet.get(fresh, value) != value)

    def reference(self, value: str, what: str) -> str:
        """`${NAME}` of a value."""
        return "${" + self.name(value, what) + "}"

    def hold(self, text: str) -> bool:
        """Whether a text contains a secret."""
        return any(isinstance(piece, Variable) for piece in self.pieces(text))

    def put(self, text: str) -> str:
        """The text for a sheet: `${NAME}` for each secret, and `$${` for a `${` of the text itself."""
        return "".join(
            "${" + piece.name + "}" if isinstance(piece, Variable) else piece.replace("${", "$${")
            for piece in self.pieces(text)
        )

    def word(self, text: str) -> str:
        """The text as one word of a shell command."""
        return joined(self.pieces(text))

    def pieces(self, text: str) -> list[Piece]:
        """The text cut into secrets, as variables, and what stands between them."""
        if text in self.names:
            return [Variable(self.names[text])] if text else []
        spelled = {spelling: name for value, name in self.names.items() for spelling in spellings(value)}
        if not spelled:
            return [text]
        longest_first = sorted(spelled, key=len, reverse=True)
        cut = re.split(f"({'|'.join(map(re.escape, longest_first))})", text)
        return [Variable(spelled[part]) if at % 2 else part for at, part in enumerate(cut) if part]


def spellings(value: str) -> set[str]:
    """The forms in which a value may stand inside of a longer text; none if it is too short to be looked for."""
    if len(value) < SHORTEST_INSIDE:
        return set()
    return {value, quote(value, safe=""), quote(value), json.dumps(value)[1:-1]}


def looks_secret(text: str) -> bool:
    """Whether a text is long and mixed enough to be a credential rather than a name."""
    has_both = re.search(r"[0-9]", text) and re.search(r"[A-Za-z]", text)
    return bool(re.fullmatch(r"[A-Za-z0-9_:=+.-]{20,}", text) and has_both and not UUID.fullmatch(text))


def is_secret_header(name: str, value: str) -> bool:
    """Whether a header's value is a credential, by its name or its looks."""
    return bool(value) and (CREDENTIALS.search(name) is not None or looks_secret(value))


def is_secret_field(name: str, text: str) -> bool:
    """Whether a field of a query or a body holds a secret, by its name or its looks."""
    return bool(text) and bool(SECRET_QUERY.search(name) or CREDENTIALS.search(name) or looks_secret(text))


def scheme_of(name: str, value: str) -> tuple[str, str]:
    """The scheme of an Authorization field, and the credential behind it."""
    scheme, space, rest = value.partition(" ")
    is_scheme = bool(space) and scheme.isalpha() and name.lower() == "authorization"
    return (scheme, rest.strip()) if is_scheme else ("", value)


def user_of(request: CurlRequest) -> str | None:
    """`name:password` of `--user` or of a Basic Authorization header, else None."""
    return request.user if request.user is not None else _basic_of(request.header("authorization") or "")


def _basic_of(value: str) -> str | None:
    scheme, _, rest = value.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(rest, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return decoded if ":" in decoded else None


def name_secrets(secrets: Secrets, request: CurlRequest, path: str) -> None:
    """Name every secret of the request before anything is written, as the same one may stand at several places."""
    user = user_of(request)
    if user is not None:
        name, _, password = user.partition(":")
        secrets.name(password or name, "PASSWORD" if password else "API_KEY")
    for name, value in request.headers:
        if is_secret_header(name, value) and not (user is not None and name.lower() == "authorization"):
            scheme, rest = scheme_of(name, value)
            what = "TOKEN" if scheme.lower() == "bearer" else re.sub("^x-", "", name, flags=re.IGNORECASE)
            secrets.name(rest, what)
    for name, value in request.query:
        if value and (SECRET_QUERY.search(name) or looks_secret(value)):
            secrets.name(value, name)
    _name_in_body(secrets, request)
    for step in path.split("/"):
        if looks_secret(unquote(step)):
            secrets.name(unquote(step), "SECRET")


def _name_in_body(secrets: Secrets, request: CurlRequest) -> None:
    body = request.body
    if body is None:
        return
    pairs: list[tuple[str, str]] = []
    if body.kind == "json":
        pairs = list(_texts(body.value, ""))
    elif body.kind == "form":
        pairs = body.value
    elif body.kind == "multipart":
        pairs = [(part.name, part.text) for part in body.value if part.path is None]
    elif body.value is not None:
        pairs = [("content", body.value)]
    for name, text in pairs:
        if is_secret_field(name, text):
            secrets.name(text, name or "SECRET")


def _texts(value: Any, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, name)
