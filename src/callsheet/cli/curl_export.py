"""`--curl`: the same request as a curl command, with `$NAME` where a secret stands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from callsheet.cli.preview import is_secret
from callsheet.http.codings import ACCEPTED
from callsheet.http.request import Request
from callsheet.secret import Secret
from callsheet.settings.settings import AuthSettings

SCHEMES = ("Bearer ", "Basic ", "Token ")
PLAIN = re.compile(r"[A-Za-z0-9 _.,:;/@%+=-]*")
GLOBS = re.compile(r"[\[\]{}]")
REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)")


@dataclass(slots=True)
class Names:
    """Which shell variable stands for a secret: the sheet's own where one holds it, else one made from its place."""

    service: str
    by_value: Mapping[str, str] = field(default_factory=dict)
    used: dict[str, str] = field(default_factory=dict)

    def word(self, secret: str, place: str) -> list[Piece]:
        """The secret as pieces of a word; a scheme before it (`Bearer `) stays readable."""
        for prefix in ("", *SCHEMES, f"{place}="):
            rest = secret[len(prefix) :]
            if secret.startswith(prefix) and rest in self.by_value:
                return [prefix, Variable(self._use(self.by_value[rest], rest))]
        prefix = next((scheme for scheme in SCHEMES if secret.startswith(scheme)), "")
        rest = secret[len(prefix) :]
        return [prefix, Variable(self._use(made_name(f"{self.service}_{place}"), rest))]

    def _use(self, name: str, secret: str) -> str:
        fresh, count = name, 1
        while self.used.setdefault(fresh, secret) != secret:
            count += 1
            fresh = f"{name}_{count}"
        return fresh


@dataclass(frozen=True, slots=True)
class Variable:
    """A shell variable inside a word."""

    name: str


Piece = str | Variable


def names_in(text: str, variables: Mapping[str, str], service: str) -> Names:
    """The variables that a sheet's text refers to, by what they hold."""
    found = dict.fromkeys(REFERENCE.findall(text))
    return Names(service, {variables[name]: name for name in reversed(found) if variables.get(name)})


def made_name(place: str) -> str:
    """A variable's name made from a header's or a parameter's."""
    name = re.sub(r"[^A-Za-z0-9]+", "_", place).strip("_").upper()
    return f"_{name}" if name[:1].isdigit() else name or "SECRET"


def curl_command(request: Request, auth: AuthSettings | None, names: Names) -> str:
    """The command, a line for each option. Raises ValueError for a body that no command line can carry."""
    words: list[list[Piece]] = [["curl"]]
    if GLOBS.search(request.wire_url):
        words.append(["--globoff"])
    url, extra = _url(request, names)
    words += [*_method(request), [_joined(url)], *extra]
    for name, value in request.headers.fields:
        if name.lower() == "authorization" and auth is not None and auth.kind == "basic":
            words.append(["--user ", _joined(_basic(auth, names))])
        else:
            words.append(["--header ", _joined(_header(name, value, names))])
    if not any(name.lower() == "accept-encoding" for name, _ in request.headers.fields) and ACCEPTED:
        words.append(["--compressed"])
    words += _body(request)
    return " \\\n  ".join("".join(str(piece) for piece in word) for word in words)


def _method(request: Request) -> list[list[Piece]]:
    if request.method == "HEAD":
        return [["--head"]]
    if request.method == ("POST" if _body(request) else "GET"):
        return []
    return [["--request ", request.method]]


def _header(name: str, value: str | Secret, names: Names) -> list[Piece]:
    text = value if isinstance(value, str) else value.reveal()
    if not text:
        return [f"{name};"]
    return [f"{name}: ", *(names.word(text, name) if is_secret(name, value) else [text])]


def _basic(auth: AuthSettings, names: Names) -> list[Piece]:
    pieces: list[Piece] = []
    for part in ("username", "password"):
        value = auth.options[part]
        pieces += names.word(value.reveal(), part) if isinstance(value, Secret) else [value]
        pieces.append(":")
    return pieces[:-1]


def _url(request: Request, names: Names) -> tuple[list[Piece], list[list[Piece]]]:
    """The URL, and options for what cannot stand in it: a variable whose value must be percent-encoded."""
    (shown, _, shown_query), (wire, _, wire_query) = (url.partition("?") for url in (request.url, request.wire_url))
    pieces = _path(shown, wire, names)
    extra: list[list[Piece]] = []
    mark = "?"
    for masked, real in zip(shown_query.split("&"), wire_query.split("&"), strict=True):
        name, _, value = real.partition("=")
        if masked == real:
            pieces += [mark, real] if real else []
        elif value == unquote(value):
            pieces += [f"{mark}{name}=", *names.word(value, unquote(name))]
        else:
            extra.append(["--url-query ", _joined([f"{unquote(name)}=", *names.word(unquote(value), unquote(name))])])
            continue
        mark = "&" if real else mark
    return pieces, extra


def _path(shown: str, wire: str, names: Names) -> list[Piece]:
    pieces: list[Piece] = []
    for masked, real in zip(shown.split("/"), wire.split("/"), strict=True):
        pieces += [real] if masked == real else names.word(real, "path")
        pieces.append("/")
    return pieces[:-1]


def _body(request: Request) -> list[list[Piece]]:
    content = request.body.content if request.body is not None else None
    if content is None:
        if request.method not in ("POST", "PUT", "PATCH"):
            return []
        content = b""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("the body is not text: send it from a file with --data-binary @file") from None
    if "\0" in text:
        raise ValueError("the body holds a NUL, which no command line can carry")
    # Without it curl would say that a body of its own choice is a form.
    unnamed: list[list[Piece]] = [] if "content-type" in request.headers else [["--header ", "'Content-Type:'"]]
    return [*unnamed, ["--data-raw ", shlex.quote(text)]]


def _joined(pieces: list[Piece]) -> str:
    """One word for the shell: in double quotes if all of it is plain, else literal parts in single quotes."""
    literal = "".join(piece for piece in pieces if isinstance(piece, str))
    if all(isinstance(piece, str) for piece in pieces):
        return shlex.quote(literal)
    if PLAIN.fullmatch(literal):
        return '"' + "".join(piece if isinstance(piece, str) else f"${{{piece.name}}}" for piece in pieces) + '"'
    parts = (shlex.quote(piece) if isinstance(piece, str) else f'"${{{piece.name}}}"' for piece in pieces if piece)
    return "".join(parts)
