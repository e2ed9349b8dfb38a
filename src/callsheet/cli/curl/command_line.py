"""Reads a curl command as curl would, and refuses what a sheet cannot say."""

from __future__ import annotations

import codecs
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from callsheet.cli.curl.command_body import CurlBody, CurlPart, body_of, data_of, part_of, urlencoded
from callsheet.errors import ArgumentError

ANSI_QUOTED = re.compile(r"(?<=\s)\$'((?:[^'\\]|\\.)*)'", re.DOTALL)

WITH_VALUE = {
    "-X": "--request", "-H": "--header", "-d": "--data", "-u": "--user", "-b": "--cookie", "-A": "--user-agent",
    "-e": "--referer", "-m": "--max-time", "-F": "--form", "-T": "--upload-file", "-x": "--proxy", "-o": "--output",
    "-w": "--write-out", "-c": "--cookie-jar", "-E": "--cert", "-D": "--dump-header", "-K": "--config",
    "-r": "--range", "-U": "--proxy-user", "-C": "--continue-at", "-y": "--speed-time", "-Y": "--speed-limit",
    "-P": "--ftp-port", "-Q": "--quote", "-t": "--telnet-option", "-z": "--time-cond",
}  # fmt: skip
FLAGS = {
    "-G": "--get", "-k": "--insecure", "-L": "--location", "-s": "--silent", "-S": "--show-error", "-i": "--include",
    "-v": "--verbose", "-f": "--fail", "-I": "--head", "-N": "--no-buffer", "-g": "--globoff", "-#": "--progress-bar",
    "-O": "--remote-name", "-J": "--remote-header-name", "-4": "--ipv4", "-6": "--ipv6", "-0": "--http1.0",
    "-R": "--remote-time", "-q": "--disable", "-M": "--manual", "-n": "--netrc",
}  # fmt: skip
DATA = ("--data", "--data-ascii", "--data-raw", "--data-binary", "--data-urlencode", "--json")
OF_THE_OUTPUT = {
    "--silent", "--show-error", "--include", "--verbose", "--fail", "--fail-with-body", "--no-buffer", "--globoff",
    "--progress-bar", "--output", "--write-out", "--dump-header", "--compressed", "--path-as-is", "--no-progress-meter",
    "--remote-name", "--remote-header-name", "--remote-time", "--disable", "--http1.1",
}  # fmt: skip
"""Options that do not change the request, or ask for what Callsheet does anyway; they are ignored."""

REFUSED = {
    "--config": "its file would have to be read: write the options out",
    "--range": "ranges are not supported yet",
    "--aws-sigv4": "signing is not supported yet",
    "--digest": "digest authentication is not supported",
    "--negotiate": "negotiated authentication is not supported",
    "--ntlm": "NTLM is not supported",
}
NOTED = {
    "--insecure": "certificates stay verified; `tls.ca` names another authority",
    "--cert": "write it as `tls.cert`",
    "--key": "write it as `tls.key`",
    "--pass": "write it as `tls.key_password`, as ${NAME}",
    "--pinnedpubkey": "write it as `tls.pins`",
    "--tlsv1.2": "TLS 1.2 is spoken at least",
    "--tlsv1.3": "write it as `tls.min_version`",
    "--location": "write `redirects: same-origin` to follow redirects",
    "--location-trusted": "write `redirects: same-origin` to follow redirects",
    "--proxy": "write it as `proxy`",
    "--proxy-user": "write it into `proxy`, as ${NAME}",
    "--cookie-jar": "write `cookies: true` to keep cookies while a client lives",
    "--netrc": "write `trust_env: true` to have .netrc read",
    "--connect-timeout": "write it as `timeout.connect`",
    "--cacert": "write it as `tls.ca`",
    "--retry": "write it as `retry.attempts`",
    "--retry-delay": "pauses follow `retry.backoff`",
    "--retry-max-time": "write it as `timeout.total`",
    "--max-redirs": "write it as `redirects.max`",
    "--resolve": "names are looked up as usual",
    "--http2": "write `http2: true`",
    "--ipv4": "either kind of address is used",
    "--ipv6": "either kind of address is used",
    "--http1.0": "HTTP/1.1 is spoken",
}
NOTED_WITH_VALUE = {
    "--proxy", "--proxy-user", "--cookie-jar", "--connect-timeout", "--cacert", "--retry", "--retry-delay",
    "--retry-max-time", "--max-redirs", "--resolve", "--pass", "--pinnedpubkey", "--key",
}  # fmt: skip
TAKES_VALUE = {
    *WITH_VALUE.values(), *DATA, *NOTED_WITH_VALUE, "--url", "--url-query", "--oauth2-bearer", "--form-string",
    "--aws-sigv4",
}  # fmt: skip


@dataclass(slots=True)
class CurlRequest:
    """The request that a curl command would send. `notes` are about options that the sheet does not take over."""

    url: str = ""
    method: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    query: list[tuple[str, str]] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    parts: list[CurlPart] = field(default_factory=list)
    file: str | None = None
    user: str | None = None
    max_time: str | None = None
    has_json: bool = False
    is_get: bool = False
    notes: list[str] = field(default_factory=list)
    body: CurlBody | None = None

    def header(self, name: str) -> str | None:
        """The value of a header field, or None."""
        return next((value for known, value in self.headers if known.lower() == name), None)


def read_curl(text: str) -> CurlRequest:
    """The request of a command. Raises ArgumentError for what a sheet cannot say."""
    return read_words(words_of(text))


def words_of(text: str) -> list[str]:
    """The words of a shell command. Raises ArgumentError."""
    joined = re.sub(r"\\\r?\n", " ", text.strip())
    plain = ANSI_QUOTED.sub(lambda found: shlex.quote(_ansi(found[1])), joined)
    try:
        return shlex.split(plain)
    except ValueError as error:
        raise ArgumentError(f"the curl command cannot be read: {error}; check its quotes") from None


def _ansi(text: str) -> str:
    return codecs.decode(text.encode("latin-1", "backslashreplace"), "unicode_escape")


def read_words(words: list[str]) -> CurlRequest:
    """The request of a command that the shell has split. Raises ArgumentError."""
    request = CurlRequest()
    for name, value in _options(words[1:] if words[:1] == ["curl"] else words):
        _take(request, name, value)
    if not request.url:
        raise ArgumentError("the curl command names no URL")
    _settle(request)
    return request


def _options(words: list[str]) -> Iterator[tuple[str, str]]:
    """The long name and the value of each option; a word that is no option is the value of `--url`."""
    rest = iter(words)
    for word in rest:
        if not word.startswith("-") or word == "-":
            yield "--url", word
        elif word.startswith("--"):
            yield word, _next(rest, word) if word in TAKES_VALUE else ""
        else:
            yield from _short(word, rest)


def _short(word: str, rest: Iterator[str]) -> Iterator[tuple[str, str]]:
    """The options in a word such as `-sSLXPOST`: flags, then one option that takes the rest or the next word as value."""
    for at, letter in enumerate(word[1:], 2):
        short = f"-{letter}"
        if short in WITH_VALUE:
            yield WITH_VALUE[short], word[at:] or _next(rest, short)
            return
        yield FLAGS.get(short, short), ""


def _next(rest: Iterator[str], option: str) -> str:
    value = next(rest, None)
    if value is None:
        raise ArgumentError(f"curl's {option}: expected a value after it")
    return value


def _take(request: CurlRequest, name: str, value: str) -> None:
    if name in REFUSED:
        raise ArgumentError(f"curl's {name}: {REFUSED[name]}")
    if name in NOTED:
        request.notes.append(f"{name}: {NOTED[name]}")
    elif name in ("--form", "--form-string"):
        request.parts.append(part_of(name, value))
    elif name == "--upload-file" or (name == "--data-binary" and value.startswith("@")):
        request.file = value if name == "--upload-file" else value[1:]
        request.method = request.method or ("PUT" if name == "--upload-file" else "")
    elif name in DATA:
        request.has_json = request.has_json or name == "--json"
        request.data.append(data_of(name, value))
    elif name in ("--header", "--user-agent", "--referer", "--cookie", "--oauth2-bearer"):
        request.headers.append(_header(name, value))
    elif name in TAKEN:
        TAKEN[name](request, value)
    elif name not in OF_THE_OUTPUT:
        raise ArgumentError(f"curl's {name}: not known here; leave it out if the call works without it")


def _take_url(request: CurlRequest, value: str) -> None:
    if request.url:
        raise ArgumentError("the curl command names two URLs; import them one by one")
    request.url = value if "://" in value else f"http://{value}"


def _take_query(request: CurlRequest, value: str) -> None:
    request.query += parse_qsl(urlencoded(value), keep_blank_values=True)


TAKEN: dict[str, Any] = {
    "--url": _take_url,
    "--url-query": _take_query,
    "--request": lambda request, value: setattr(request, "method", value.upper()),
    "--user": lambda request, value: setattr(request, "user", value),
    "--max-time": lambda request, value: setattr(request, "max_time", value),
    "--get": lambda request, _: setattr(request, "is_get", True),
    "--head": lambda request, _: setattr(request, "method", request.method or "HEAD"),
}


def _header(option: str, value: str) -> tuple[str, str]:
    if option == "--oauth2-bearer":
        return "Authorization", f"Bearer {value}"
    if option == "--cookie" and "=" not in value:
        raise ArgumentError("curl's --cookie: expected NAME=VALUE; a file of cookies is not read")
    if option != "--header":
        return {"--user-agent": "User-Agent", "--referer": "Referer", "--cookie": "Cookie"}[option], value
    name, colon, rest = value.partition(":")
    if value.startswith("@") or (not colon and not value.endswith(";")):
        raise ArgumentError("curl's --header: expected `Name: value`")
    return (name.strip(), rest.strip()) if colon else (value[:-1].strip(), "")


def _settle(request: CurlRequest) -> None:
    """Take query and user from the URL, and make a query or a body of the data."""
    parts = urlsplit(request.url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ArgumentError("the curl command's URL: expected http:// or https:// and a host")
    request.query = parse_qsl(parts.query, keep_blank_values=True) + request.query
    if parts.username is not None and request.user is None:
        request.user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    text = ("" if request.has_json else "&").join(request.data)
    if request.is_get:
        request.query += parse_qsl(text, keep_blank_values=True)
    else:
        request.body = _body(request, text)
    request.method = request.method or ("POST" if request.body is not None else "GET")


def _body(request: CurlRequest, text: str) -> CurlBody | None:
    """The body that the options give, None without one. Raises ArgumentError for bodies of two kinds."""
    if sum(map(bool, (request.parts, request.file, request.data))) > 1:
        raise ArgumentError("the curl command has bodies of two kinds; a request has one")
    content_type = "application/json" if request.has_json else request.header("content-type") or ""
    if request.parts:
        return CurlBody("multipart", request.parts)
    if request.file is not None:
        return CurlBody("content", None, content_type or "application/octet-stream", request.file)
    return body_of(text, content_type) if request.data else None
