"""A curl command's request as a service and an operation of a sheet; secrets become `${NAME}`, never text."""

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
GENERIC = frozenset({"www", "api", "apis", "rest"})


@dataclass(slots=True)
class Draft:
    """What is to be written: lines of a service and of an operation. `items` are words for a shell."""

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
        """The operation, unindented; its own `auth` where the service's is another."""
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
        """The service with its one operation, unindented."""
        lines = [f"{self.service}:", f"  base_url: {scalar(self.base_url)}"]
        lines += [f"  auth: {self.auth}"] if self.auth else []
        return [*lines, "  operations:", *(f"    {line}" for line in self.operation_lines())]

    def give(self, name: str, value: Any) -> None:
        """Remember how an argument is given on a command line."""
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
    if request.max_time:
        made.timeout = request.max_time
    return made


def scalar(text: str) -> str:
    """A text as YAML: plain where it cannot be anything else, else in double quotes."""
    if re.fullmatch(r"/[A-Za-z0-9/_.-]*|https?://[A-Za-z0-9.:/_-]+|[A-Za-z_][A-Za-z0-9_-]*", text) and not _is_a_word(
        text
    ):
        return text
    return json.dumps(text, ensure_ascii=False)


def _is_a_word(text: str) -> bool:
    return text.lower() in ("true", "false", "null", "yes", "no", "on", "off", "y", "n")


def service_name(host: str) -> str:
    """`github` of `api.github.com`; `api` of an address."""
    labels = host.split(".")[:-1]
    if not labels or all(label.isdigit() for label in labels):
        return "api" if "." in host or ":" in host else identifier(host)
    telling = [label for label in labels if label not in GENERIC] or labels
    is_suffix = len(telling) > 1 and len(telling[-1]) <= 3
    return identifier(telling[-2] if is_suffix else telling[-1])


def operation_name(method: str, path: str) -> str:
    """`get_users_repos` of `GET /users/{id}/repos`."""
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
    """A step of a path, with a parameter that a variable fills for each secret in it."""
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
    """A parameter that is always sent, and never shown."""
    return f"{{type: string, secret: true, value: {scalar(template)}}}"


def _fresh(name: str, taken: Iterable[str]) -> str:
    count = sum(known == name or known.startswith(f"{name}_") for known in taken)
    return f"{name}_{count + 1}" if count else name


def _put_credentials(made: Draft, request: CurlRequest) -> None:
    """The first credential of a known kind is the service's `auth`."""
    user = user_of(request)
    scheme, rest = scheme_of("authorization", request.header("authorization") or "")
    if user is not None:
        name, _, password = user.partition(":")
        reference = scalar(made.secrets.reference(password, "PASSWORD"))
        made.auth = f"{{basic: {{username: {scalar(made.secrets.put(name))}, password: {reference}}}}}"
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
    values: dict[str, list[str]] = {}
    for name, value in request.query:
        values.setdefault(name, []).append(value)
    for name, given in values.items():
        if len(given) == 1 and made.secrets.hold(given[0]):
            _put_secret_param(made, name, given[0])
        else:
            _put_argument(made, made.query_types, name, given)


def _put_argument(made: Draft, types: dict[str, str], name: str, given: list[str]) -> None:
    """A name and its values as a declared type and as items to try."""
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
    """The type of a query value, where it is plain: `007` is a string."""
    if text in ("true", "false"):
        return "boolean"
    return "integer" if re.fullmatch(r"-?(?:0|[1-9][0-9]{0,17})", text) else "string"


def escaped(name: str) -> str:
    """A name as an item gives it."""
    return re.sub(r"([:=@;])", r"\\\1", name)


def put_body(made: Draft, request: CurlRequest) -> None:
    """The body key of the operation, and the items that give it."""
    body = request.body
    if body is not None:
        {"json": _put_json, "form": _put_form, "multipart": _put_multipart, "content": _put_content}[body.kind](
            made, body
        )


def _put_json(made: Draft, body: CurlBody) -> None:
    kinds = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}
    made.json_type = kinds[type(body.value)]
    if not isinstance(body.value, dict):
        made.items += ["--json", made.secrets.word(json.dumps(body.value, ensure_ascii=False))]
        return
    for name, value in body.value.items():
        made.give(name, value)


def _put_form(made: Draft, body: CurlBody) -> None:
    _put_fields(made, made.form_types, body.value)


def _put_fields(made: Draft, types: dict[str, str], pairs: Iterable[tuple[str, str]]) -> None:
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    for name, given in values.items():
        _put_argument(made, types, name, given)


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
