"""A curl command's request as a service and an operation of a sheet; secrets become `${NAME}`, never text."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

from callsheet.cli.curl_bodies import CurlBody, CurlPart
from callsheet.cli.curl_pieces import made_name
from callsheet.cli.curl_words import CurlRequest
from callsheet.cli.preview import CREDENTIALS

SECRET_QUERY = re.compile(
    r"(?:^|[_.-])(?:api_?key|key|token|secret|password|pass|pwd|sig|signature|auth|code)$", re.IGNORECASE
)
SET_ANYWAY = frozenset(
    {"host", "connection", "content-length", "content-type", "accept-encoding", "transfer-encoding", "expect"}
)
OF_A_BROWSER = re.compile(r"sec-|priority$|dnt$|upgrade-insecure-requests$|te$", re.IGNORECASE)
UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
GENERIC = frozenset({"www", "api", "apis", "rest"})


@dataclass(slots=True)
class Draft:
    """What is to be written: lines of a service and of an operation, and the variables that they need."""

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
    variables: list[str] = field(default_factory=list)
    items: list[str] = field(default_factory=list)

    def operation_lines(self, *, with_auth: bool) -> list[str]:
        """The operation, unindented; its auth too where the service has another."""
        pairs = [
            ("path", self.path_types),
            ("query", self.query_types),
            ("headers", self.headers),
            ("form", self.form_types),
            ("multipart", self.multipart_types),
        ]
        lines = [f"{self.operation}:", f"  {self.method.lower()}: {scalar(self.path)}"]
        lines += [f"  auth: {self.auth}"] if with_auth and self.auth else []
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
        return [*lines, "  operations:", *(f"    {line}" for line in self.operation_lines(with_auth=False))]

    def reference(self, name: str) -> str:
        """`${NAME}`, remembered as a variable that must be set."""
        if name not in self.variables:
            self.variables.append(name)
        return "${" + name + "}"


def draft(request: CurlRequest, service: str, prefix: str, operation: str | None, *, parameters: bool) -> Draft:
    """The service and operation of a request. `prefix` is the path of the base URL; `parameters` makes ids arguments."""
    parts = urlsplit(request.url)
    made = Draft(service, origin(parts), "", request.method, "")
    _put_path(made, parts.path.removeprefix(prefix) or "/", parameters=parameters)
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


def literal(text: str) -> str:
    """A text that a sheet takes as it is: `${` is no reference."""
    return scalar(text.replace("${", "$${"))


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


def looks_secret(text: str) -> bool:
    """Whether a text is long and mixed enough to be a credential rather than a name."""
    has_both = re.search(r"[0-9]", text) and re.search(r"[A-Za-z]", text)
    return bool(re.fullmatch(r"[A-Za-z0-9_:=+.-]{20,}", text) and has_both and not UUID.fullmatch(text))


def _put_path(made: Draft, path: str, *, parameters: bool) -> None:
    steps = []
    for step in path.split("/"):
        is_id = parameters and (step.isdigit() or UUID.fullmatch(step))
        if is_id or looks_secret(unquote(step)):
            name = _fresh("id" if is_id else "secret", made.path_types)
            kind = "integer" if step.isdigit() else "uuid"
            made.path_types[name] = kind if is_id else "{type: string, secret: true}"
            made.items.append(f"{name}={step}" if is_id else f"{name}=...")
            steps.append("{" + name + "}")
        else:
            steps.append(step.replace("{", "%7B").replace("}", "%7D"))
    made.path = "/".join(steps)


def _fresh(name: str, taken: Iterable[str]) -> str:
    count = sum(known == name or known.startswith(f"{name}_") for known in taken)
    return f"{name}_{count + 1}" if count else name


def _variable(made: Draft, what: str) -> str:
    return made.reference(f"{made_name(made.service)}_{what}")


def _put_credentials(made: Draft, request: CurlRequest) -> None:
    """The first credential of a known kind is the service's `auth`."""
    user = request.user or _basic_of(request.header("authorization") or "")
    scheme, _, rest = (request.header("authorization") or "").partition(" ")
    if user is not None:
        name = user.partition(":")[0]
        password = scalar(_variable(made, "PASSWORD"))
        made.auth = f"{{basic: {{username: {literal(name)}, password: {password}}}}}"
    elif scheme.lower() == "bearer" and rest:
        made.auth = f"{{bearer: {scalar(_variable(made, 'TOKEN'))}}}"


def _basic_of(value: str) -> str | None:
    scheme, _, rest = value.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(rest, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return decoded if ":" in decoded else None


def _put_headers(made: Draft, request: CurlRequest) -> None:
    for name, value in request.headers:
        lowered = name.lower()
        if lowered in SET_ANYWAY or OF_A_BROWSER.match(lowered) or (lowered == "authorization" and made.auth):
            continue
        if lowered == "accept" and value == "*/*":
            continue
        if value and (CREDENTIALS.search(name) or looks_secret(value)):
            _put_secret_header(made, name, value)
        else:
            made.headers[name] = literal(value)
    if request.has_json and request.header("accept") is None:
        made.headers["Accept"] = "application/json"
    kind = (request.header("content-type") or "").partition(";")[0].strip().lower()
    if request.body is not None and request.body.kind == "json" and kind not in ("", "application/json"):
        request.notes.append(f"Content-Type {kind}: a JSON body is sent as application/json")


def _put_secret_header(made: Draft, name: str, value: str) -> None:
    scheme, space, _ = value.partition(" ")
    is_scheme = bool(space) and scheme.isalpha() and name.lower() == "authorization"
    variable = _variable(made, made_name(name.removeprefix("X-").removeprefix("x-")))
    if not made.auth and name.lower() not in ("authorization", "cookie"):
        made.auth = f"{{api_key: {{header: {scalar(name)}, value: {scalar(variable)}}}}}"
    else:
        made.headers[name] = scalar(f"{scheme} {variable}" if is_scheme else variable)


def _put_query(made: Draft, request: CurlRequest) -> None:
    values: dict[str, list[str]] = {}
    for name, value in request.query:
        values.setdefault(name, []).append(value)
    for name, given in values.items():
        if SECRET_QUERY.search(name) and len(given) == 1:
            _put_secret_param(made, name)
            continue
        _put_argument(made, made.query_types, name, given, is_secret=any(map(looks_secret, given)))


def _put_argument(made: Draft, types: dict[str, str], name: str, given: list[str], *, is_secret: bool) -> None:
    """A name and its values as a declared type and as items to try."""
    kind = type_of(given[0]) if len({type_of(value) for value in given}) == 1 else "string"
    secret = ", secret: true" if is_secret else ""
    plain = f"{{type: {kind}{secret}}}" if secret else kind
    types[name] = plain if len(given) == 1 else f"{{type: array, items: {{type: {kind}}}{secret}}}"
    made.items += [f"{escaped(name)}=..." if is_secret else f"{escaped(name)}={value}" for value in given]


def _put_secret_param(made: Draft, name: str) -> None:
    variable = _variable(made, made_name(name))
    if not made.auth:
        made.auth = f"{{api_key: {{query: {scalar(name)}, value: {scalar(variable)}}}}}"
    else:
        made.query_types[name] = f"{{type: string, secret: true, value: {scalar(variable)}}}"


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


def is_hidden(name: str, text: str) -> bool:
    """Whether a field of a body holds a secret, by its name or its looks."""
    return bool(CREDENTIALS.search(name) or SECRET_QUERY.search(name)) or looks_secret(text)


def _put_json(made: Draft, body: CurlBody) -> None:
    kinds = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}
    made.json_type = kinds[type(body.value)]
    if not isinstance(body.value, dict):
        made.items.append("--json '...'")
        return
    for name, value in body.value.items():
        hidden = is_hidden(name, value if isinstance(value, str) else "")
        given = f"={value}" if isinstance(value, str) else f":={json.dumps(value, ensure_ascii=False)}"
        made.items.append(escaped(name) + ("=..." if hidden else given))


def _put_form(made: Draft, body: CurlBody) -> None:
    _put_fields(made, made.form_types, body.value)


def _put_fields(made: Draft, types: dict[str, str], pairs: Iterable[tuple[str, str]]) -> None:
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    for name, given in values.items():
        _put_argument(made, types, name, given, is_secret=any(is_hidden(name, value) for value in given))


def _put_multipart(made: Draft, body: CurlBody) -> None:
    parts: list[CurlPart] = body.value
    _put_fields(made, made.multipart_types, [(part.name, part.text) for part in parts if part.path is None])
    for part in parts:
        if part.path is not None:
            made.multipart_types[part.name] = "file"
            made.items.append(f"{escaped(part.name)}@{part.path}{part.item}")


def _put_content(made: Draft, body: CurlBody) -> None:
    made.content_type = body.media_type
    is_long = body.value is not None and (len(body.value) > 60 or looks_secret(body.value))
    made.items.append(f"@{body.path}" if body.value is None else "content=..." if is_long else f"content={body.value}")
