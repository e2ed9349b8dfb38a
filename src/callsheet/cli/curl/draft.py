"""Makes a service and an operation of a sheet from a curl command's request; secrets are written as `${NAME}`."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, quote, unquote, urlsplit

from callsheet.cli.curl.command_body import CurlBody, CurlPart
from callsheet.cli.curl.command_line import CurlRequest
from callsheet.cli.curl.command_secrets import (
    SECRET_QUERY,
    UUID,
    Secrets,
    is_secret_field,
    is_secret_header,
    name_secrets,
    scheme_of,
    user_of,
)
from callsheet.cli.curl.shell_words import Variable, made_name
from callsheet.errors import ArgumentError

SET_ANYWAY = frozenset(
    {"host", "connection", "content-length", "content-type", "accept-encoding", "transfer-encoding", "expect"}
)
OF_A_BROWSER = re.compile(r"sec-|priority$|dnt$|upgrade-insecure-requests$|te$", re.IGNORECASE)
PLAIN_SCALAR = re.compile(r"/[A-Za-z0-9/_.-]*|https?://[A-Za-z0-9.:/_-]+|[A-Za-z_][A-Za-z0-9_-]*")
YAML_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
GENERIC = frozenset({"www", "api", "apis", "rest"})


@dataclass(slots=True)
class Draft:
    """The service and the operation to write. `items` are the shell words that give its arguments in a first call."""

    secrets: Secrets
    service: str
    base_url: str
    operation: str
    method: str
    path: str
    auth: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    path_types: dict[str, str] = field(default_factory=dict)
    query_types: dict[str, str] = field(default_factory=dict)
    form_types: dict[str, str] = field(default_factory=dict)
    multipart_types: dict[str, str] = field(default_factory=dict)
    json_type: str = ""
    content_type: str = ""
    timeout: str = ""
    items: list[str] = field(default_factory=list)

    def operation_lines(self, auth: str = "") -> list[str]:
        """The lines of the operation, unindented; with `auth` if its credential is not the service's."""
        pairs = [
            ("path", self.path_types),
            ("query", self.query_types),
            ("headers", self.headers),
            ("form", self.form_types),
            ("multipart", self.multipart_types),
        ]
        lines = [f"{self.operation}:", f"  {self.method.lower()}: {scalar(self.path)}"]
        lines += [f"  auth: {auth}"] if auth else []
        for key, mapping in pairs:
            if mapping:
                lines += [f"  {key}:", *(f"    {scalar(name)}: {value}" for name, value in mapping.items())]
        lines += [f"  json: {self.json_type}"] if self.json_type else []
        lines += [f"  content: {scalar(self.content_type)}"] if self.content_type else []
        return lines + ([f"  timeout: {self.timeout}"] if self.timeout else [])

    def service_lines(self) -> list[str]:
        """The lines of the service with its one operation, unindented."""
        lines = [f"{self.service}:", f"  base_url: {scalar(self.base_url)}"]
        lines += [f"  auth: {self.auth}"] if self.auth else []
        return [*lines, "  operations:", *(f"    {line}" for line in self.operation_lines())]

    def give(self, name: str, value: Any) -> None:
        """Add the item that gives this argument on a command line."""
        is_text = isinstance(value, str) and not value.startswith(("@", "="))
        text = f"={value}" if is_text else f":={json.dumps(value, ensure_ascii=False)}"
        self.items.append(self.secrets.word(escaped(name) + text))


def draft(
    request: CurlRequest, service: str, prefix: str, operation: str | None, secrets: Secrets, *, parameters: bool
) -> Draft:
    """The service and operation of a request. `prefix` is the path of the base URL; `parameters` makes ids arguments."""
    parts = urlsplit(request.url)
    path = parts.path.removeprefix(prefix) or "/"
    name_secrets(secrets, request, path)
    if secrets.hold(parts.netloc.rpartition("@")[2]):
        raise ArgumentError("a secret of the curl command stands in the name of its host, which a sheet would show")
    made = Draft(secrets, service, origin(parts), "", request.method, "")
    _put_path(made, path, parameters=parameters)
    made.operation = operation or operation_name(request.method, made.path)
    _put_credentials(made, request)
    _put_headers(made, request)
    _put_query(made, request)
    put_body(made, request)
    made.timeout = request.max_time or ""
    return made


def scalar(text: str) -> str:
    """A text as YAML: plain if it can only be read as text, else in double quotes."""
    is_plain = PLAIN_SCALAR.fullmatch(text) and text.lower() not in YAML_WORDS
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def service_name(host: str) -> str:
    """The name of a service by its host: `github` for `api.github.com`, `api` for an IP address."""
    labels = host.split(".")[:-1]
    if not labels or all(label.isdigit() for label in labels):
        return "api" if "." in host or ":" in host else identifier(host)
    telling = [label for label in labels if label not in GENERIC] or labels
    is_suffix = len(telling) > 1 and len(telling[-1]) <= 3
    return identifier(telling[-2] if is_suffix else telling[-1])


def operation_name(method: str, path: str) -> str:
    """The name of an operation: `get_users_repos` for `GET /users/{id}/repos`."""
    steps = [identifier(step) for step in path.split("/") if step and "{" not in step]
    return "_".join([method.lower(), *(step for step in steps[-3:] if step)])


def identifier(text: str) -> str:
    """The text as a name on a sheet."""
    name = re.sub(r"[^A-Za-z0-9]+", "_", unquote(text)).strip("_").lower()
    return f"_{name}" if name[:1].isdigit() and not name.isdigit() else name


def origin(parts: SplitResult) -> str:
    """Scheme, host and port of a URL."""
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}"


def _put_path(made: Draft, path: str, *, parameters: bool) -> None:
    steps = []
    for step in path.split("/"):
        if made.secrets.hold(unquote(step)):
            steps.append(_secret_step(made, unquote(step)))
        elif parameters and (step.isdigit() or UUID.fullmatch(step)):
            name = _fresh("id", made.path_types)
            made.path_types[name] = "integer" if step.isdigit() else "uuid"
            made.give(name, step)
            steps.append("{" + name + "}")
        else:
            steps.append(step.replace("{", "%7B").replace("}", "%7D"))
    made.path = "/".join(steps)


def _secret_step(made: Draft, step: str) -> str:
    """A segment of a path in which each secret is replaced by a path parameter that a variable fills."""
    written = ""
    for piece in made.secrets.pieces(step):
        if isinstance(piece, Variable):
            name = _fresh(piece.name.removeprefix(f"{made_name(made.service)}_").lower(), made.path_types)
            made.path_types[name] = _filled("${" + piece.name + "}")
            written += "{" + name + "}"
        else:
            written += quote(piece, safe="!$&'()*+,;=:@")
    return written


def _filled(template: str) -> str:
    """The declaration of a parameter that is always sent with this value, and never shown."""
    return f"{{type: string, secret: true, value: {scalar(template)}}}"


def _fresh(name: str, taken: Iterable[str]) -> str:
    count = sum(known == name or known.startswith(f"{name}_") for known in taken)
    return f"{name}_{count + 1}" if count else name


def _put_credentials(made: Draft, request: CurlRequest) -> None:
    """Write a user and password or a bearer token as the `auth` of the service."""
    user = user_of(request)
    scheme, rest = scheme_of("authorization", request.header("authorization") or "")
    if user is not None:
        name, _, password = user.partition(":")
        username = scalar(made.secrets.put(name))
        reference = f", password: {scalar(made.secrets.reference(password, 'PASSWORD'))}" if password else ""
        made.auth = f"{{basic: {{username: {username}{reference}}}}}"
    elif scheme.lower() == "bearer" and rest:
        made.auth = f"{{bearer: {scalar(made.secrets.reference(rest, 'TOKEN'))}}}"


def _put_headers(made: Draft, request: CurlRequest) -> None:
    for name, value in request.headers:
        lowered = name.lower()
        if lowered in SET_ANYWAY or OF_A_BROWSER.match(lowered) or (lowered == "authorization" and made.auth):
            continue
        if lowered == "accept" and value == "*/*":
            continue
        if is_secret_header(name, value):
            _put_secret_header(made, name, value)
        else:
            made.headers[name] = scalar(made.secrets.put(value))
    if request.has_json and request.header("accept") is None:
        made.headers["Accept"] = "application/json"
    kind = (request.header("content-type") or "").partition(";")[0].strip().lower()
    if request.body is not None and request.body.kind == "json" and kind not in ("", "application/json"):
        request.notes.append(f"Content-Type {kind}: a JSON body is sent as application/json")


def _put_secret_header(made: Draft, name: str, value: str) -> None:
    scheme, rest = scheme_of(name, value)
    reference = made.secrets.reference(rest, name)
    if not made.auth and name.lower() not in ("authorization", "cookie"):
        made.auth = f"{{api_key: {{header: {scalar(name)}, value: {scalar(reference)}}}}}"
    else:
        made.headers[name] = scalar(f"{scheme} {reference}".strip())


def _put_query(made: Draft, request: CurlRequest) -> None:
    for name, given in _by_name(request.query).items():
        if len(given) == 1 and made.secrets.hold(given[0]):
            _put_secret_param(made, name, given[0])
        else:
            _put_argument(made, made.query_types, name, given)


def _put_argument(made: Draft, types: dict[str, str], name: str, given: list[str]) -> None:
    """Declare a parameter or field with a type that fits its values, and add the items that give them."""
    kind = type_of(given[0]) if len({type_of(value) for value in given}) == 1 else "string"
    is_secret = any(made.secrets.hold(value) or is_secret_field(name, value) for value in given)
    secret = ", secret: true" if is_secret else ""
    plain = f"{{type: {kind}{secret}}}" if secret else kind
    types[name] = plain if len(given) == 1 else f"{{type: array, items: {{type: {kind}}}{secret}}}"
    for value in given:
        made.give(name, value)


def _put_secret_param(made: Draft, name: str, value: str) -> None:
    template = made.secrets.put(value)
    if not made.auth and SECRET_QUERY.search(name):
        made.auth = f"{{api_key: {{query: {scalar(name)}, value: {scalar(template)}}}}}"
    else:
        made.query_types[name] = _filled(template)


def type_of(text: str) -> str:
    """The type of a query value; only plain numbers are integers: `007` is a string."""
    if text in ("true", "false"):
        return "boolean"
    return "integer" if re.fullmatch(r"-?(?:0|[1-9][0-9]{0,17})", text) else "string"


def escaped(name: str) -> str:
    """A name with its separators escaped, as an item of a command line takes it."""
    return re.sub(r"([:=@;])", r"\\\1", name)


def put_body(made: Draft, request: CurlRequest) -> None:
    """Write the body key of the operation, and add the items that give the body."""
    body = request.body
    if body is None:
        return
    if body.kind == "form":
        _put_fields(made, made.form_types, body.value)
    else:
        {"json": _put_json, "multipart": _put_multipart, "content": _put_content}[body.kind](made, body)


def _put_json(made: Draft, body: CurlBody) -> None:
    kinds = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}
    made.json_type = kinds[type(body.value)]
    if not isinstance(body.value, dict):
        made.items += ["--json", made.secrets.word(json.dumps(body.value, ensure_ascii=False))]
        return
    for name, value in body.value.items():
        made.give(name, value)


def _put_fields(made: Draft, types: dict[str, str], pairs: Iterable[tuple[str, str]]) -> None:
    for name, given in _by_name(pairs).items():
        _put_argument(made, types, name, given)


def _by_name(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return values


def _put_multipart(made: Draft, body: CurlBody) -> None:
    parts: list[CurlPart] = body.value
    _put_fields(made, made.multipart_types, [(part.name, part.text) for part in parts if part.path is None])
    for part in parts:
        if part.path is not None:
            made.multipart_types[part.name] = "file"
            made.items.append(shlex.quote(f"{escaped(part.name)}@{part.path}{part.item}"))


def _put_content(made: Draft, body: CurlBody) -> None:
    made.content_type = body.media_type
    if body.value is None:
        made.items.append(shlex.quote(f"@{body.path}"))
    else:
        made.give("content", body.value)
