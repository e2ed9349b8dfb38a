"""`--curl`: writes a request as a curl command, with a variable `$NAME` for each secret."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import unquote

from callsheet.cli.curl.body_options import body_words, is_multipart
from callsheet.cli.curl.shell_words import Piece, VariableNames, joined
from callsheet.cli.preview import is_secret
from callsheet.http.codings import ACCEPTED
from callsheet.http.request import Request
from callsheet.secret import Secret
from callsheet.settings.settings import AuthSettings

GLOBS = re.compile(r"[\[\]{}]")


def curl_command(
    request: Request, auth: AuthSettings | None, names: VariableNames, further: Sequence[list[Piece]] = ()
) -> str:
    """The command, a line for each option; `further` are options about the connection and the answer.

    Raises ValueError for a body that no command line can carry.
    """
    body = body_words(request, names)
    words: list[list[Piece]] = [["curl"]]
    if GLOBS.search(request.wire_url):
        words.append(["--globoff"])
    url, extra = _url(request, names)
    words += [*_method(request, has_body=bool(body)), [joined(url)], *extra]
    for name, value in request.headers.fields:
        if name.lower() == "authorization" and auth is not None and auth.kind == "basic":
            words.append(["--user ", joined(_basic(auth, names))])
        elif name.lower() != "content-type" or not is_multipart(request):
            words.append(["--header ", joined(_header(name, value, names))])
    if not any(name.lower() == "accept-encoding" for name, _ in request.headers.fields) and ACCEPTED:
        words.append(["--compressed"])
    words += [*body, *further]
    return " \\\n  ".join("".join(str(piece) for piece in word) for word in words)


def _method(request: Request, *, has_body: bool) -> list[list[Piece]]:
    if request.method == "HEAD":
        return [["--head"]]
    if request.method == ("POST" if has_body else "GET"):
        return []
    return [["--request ", request.method]]


def _header(name: str, value: str | Secret, names: VariableNames) -> list[Piece]:
    text = value if isinstance(value, str) else value.reveal()
    if not text:
        return [f"{name};"]
    return [f"{name}: ", *(names.word(text, name) if is_secret(name, value) else [text])]


def _basic(auth: AuthSettings, names: VariableNames) -> list[Piece]:
    pieces: list[Piece] = []
    for part in ("username", "password"):
        value = auth.options[part]
        pieces += names.word(value.reveal(), part) if isinstance(value, Secret) else [value]
        pieces.append(":")
    return pieces[:-1]


def _url(request: Request, names: VariableNames) -> tuple[list[Piece], list[list[Piece]]]:
    """The URL, and a `--url-query` option for each secret that curl has to percent-encode."""
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
            extra.append(["--url-query ", joined([f"{unquote(name)}=", *names.word(unquote(value), unquote(name))])])
            continue
        mark = "&" if real else mark
    return pieces, extra


def _path(shown: str, wire: str, names: VariableNames) -> list[Piece]:
    pieces: list[Piece] = []
    for masked, real in zip(shown.split("/"), wire.split("/"), strict=True):
        pieces += [real] if masked == real else names.word(real, "path")
        pieces.append("/")
    return pieces[:-1]
