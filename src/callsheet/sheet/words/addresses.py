"""`base_url`, `allow_origins`, `addresses` and path templates: where requests may go."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import unquote, urlsplit

from callsheet.http.cross_origin import is_downgrade, spelled
from callsheet.http.public import is_localhost
from callsheet.http.request import origin_of
from callsheet.settings.settings import Settings
from callsheet.sheet.forms.reading import Form, FormOf, Reading, Spot, Unread
from callsheet.sheet.forms.record import Layer
from callsheet.sheet.forms.scalars import Choice, ListOf, Text
from callsheet.sheet.tree.findings import Findings, Misfit
from callsheet.sheet.tree.masks import CREDENTIAL_HEADER
from callsheet.sheet.tree.node import Node, Scalar

URL = Text("an http or https URL such as `https://api.example.com/v1`")
ORIGIN = Text("an origin such as `https://cdn.example.com`")
TEMPLATE = Text('a path such as `/users/{id}`, or `""` for the base URL itself', may_be_empty=True)
REFERENCED = re.compile(r"(?<!\$)\$\{([A-Za-z_][A-Za-z0-9_]*)")
HOST = re.compile(r"\[[0-9A-Fa-f:.]+(?:%[A-Za-z0-9._~-]+)?\]|[A-Za-z0-9._-]+")
PARAMETER = re.compile(r"\{([^{}]*)\}")
PARAMETER_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
LITERAL = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*")
COLON_NAME = re.compile(r"(?<=/):([A-Za-z_][A-Za-z0-9_]{0,40})(?=/|$)")
ANGLED_NAME = re.compile(r"<(?:[a-z]+:)?([A-Za-z_][A-Za-z0-9_]{0,40})>")
DOT_SEGMENTS = frozenset({".", ".."})


def refuse(problem: tuple[str, str], node: Node, spot: Spot) -> None:
    """Raise Misfit for a problem: what is wrong with a node, and what to do about it. None if the first text is empty."""
    wrong, hint = problem
    if wrong:
        raise Misfit(node.place, f"{spot}: {wrong}", hint)


def _base_url(node: Node, spot: Spot, reading: Reading) -> str:
    """The URL without the slash at its end, since every path begins with one."""
    text = URL.read(node, spot, reading)
    _warn_of_shown(node, spot, reading)
    refuse(wrong_with_url(text), node, spot)
    return text.rstrip("/")


BASE_URL = FormOf(_base_url, {"type": "string", "pattern": r"^[hH][tT][tT][pP][sS]?://|\$\{"})


def _warn_of_shown(node: Node, spot: Spot, reading: Reading) -> None:
    """Warn of a variable in a URL whose name says that it is a credential: every log shows the URL."""
    for name in REFERENCED.findall(node.text if isinstance(node, Scalar) else ""):
        if CREDENTIAL_HEADER.search(name):
            message = f"{spot}: `${{{name}}}` in a URL is shown in every log"
            hint = 'declare it in the path: `get: "/bot{token}/me"`, `path: {token: {type: string, value: "${NAME}"}}`'
            reading.findings.warn(Misfit(node.place, message, hint))


def is_loopback(host: str) -> bool:
    """Whether a host's name or address is that of this machine (RFC 6761 6.3)."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return is_localhost(host)


def check_unencrypted(layer: Layer, settings: Settings, spot: Spot, findings: Findings) -> None:
    """Warn of a credential that is sent over http to another machine."""
    written = layer.get("base_url")
    if written is None or settings.auth is None or not settings.base_url.lower().startswith("http://"):
        return
    if not is_loopback(urlsplit(settings.base_url).hostname or ""):
        message = f"{spot.under('base_url')}: `auth` over http, where everybody on the way can read it"
        findings.warn(Misfit(written.node.place, message, "write https, if the service has it"))


def wrong_with_url(text: str) -> tuple[str, str]:
    """What is wrong with a base URL or an origin, and what to do about it; two empty texts if nothing is."""
    if re.search(r"[\x00-\x20\x7f\\<>\"^`{}|]", text):
        return (
            "a character that no URL may hold",
            "percent-encode it; a path parameter belongs into an operation's path",
        )
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        return "a host or port that cannot be read", "a port is a number from 1 to 65535"
    if url.scheme not in ("http", "https"):
        return "expected a URL that begins with http:// or https://", "write the whole URL, with its scheme"
    if "@" in url.netloc:
        return "user name and password do not belong into a URL", "use `auth: {basic: {username, password}}`"
    if not url.hostname or not HOST.fullmatch(url.netloc.removesuffix(f":{_written_port(url.netloc)}")):
        return "expected a host name", "a name outside ASCII is written in its `xn--` form"
    if port == 0 or url.netloc.endswith(":"):
        return "a host or port that cannot be read", "a port is a number from 1 to 65535"
    if "?" in text:
        return "a query does not belong into a base URL", "write it under `params`"
    if "#" in text:
        return "a fragment is never sent", "remove it"
    if not LITERAL.fullmatch(url.path) or "//" in url.path or _has_dots(url.path):
        return "a path prefix that cannot be sent as it is", "percent-encode it; `//`, `.` and `..` are refused"
    return "", ""


def _written_port(netloc: str) -> str:
    match = re.search(r":([0-9]+)\Z", netloc)
    return match[1] if match else ""


def _has_dots(path: str) -> bool:
    return any(unquote(segment) in DOT_SEGMENTS for segment in path.split("/"))


def _allowed_origin(node: Node, spot: Spot, reading: Reading) -> str:
    text = ORIGIN.read(node, spot, reading)
    refuse(_wrong_with_origin(text), node, spot)
    return spelled(origin_of(text))


_ALLOWED_ORIGIN = FormOf(_allowed_origin, {"type": "string", "pattern": r"^[hH][tT][tT][pP][sS]?://[^/?#*@]+/?$|\$\{"})
ALLOW_ORIGINS: Form = ListOf(_ALLOWED_ORIGIN, "origins such as `https://cdn.example.com`")
ADDRESSES: Form = Choice(("any", "public"))


def _wrong_with_origin(text: str) -> tuple[str, str]:
    if "*" in text:
        return "an origin is written out, without `*`", "list each one: whoever gets such a name would be let in"
    if "://" not in text and HOST.match(text):
        return "expected an origin that begins with http:// or https://", f"write `https://{text}`"[:80]
    wrong, hint = wrong_with_url(text)
    if wrong:
        return wrong.replace("a base URL", "an origin"), hint
    url = urlsplit(text)
    if url.path.strip("/"):
        return "an origin has no path", f"write `{url.scheme}://{url.netloc}`"
    try:
        origin_of(text)
    except ValueError:
        return "an address that cannot be read", "write it as in `https://[2001:db8::1]`"
    return "", ""


def check_reach(layer: Layer, spot: Spot, findings: Findings) -> None:
    """Note settings that cannot be kept: `addresses: public` behind a proxy, or an http origin beside an https service."""
    known = {name: written for name, written in layer.items() if not isinstance(written.value, Unread)}
    addresses = known.get("addresses")
    through = next((name for name in ("proxy", "trust_env") if name in known and known[name].value), None)
    if addresses and addresses.value == "public" and through:
        what = f"{spot.under('addresses')}: `public` cannot be kept with `{through}` ({known[through].node.place})"
        hint = "the proxy chooses the address; let it refuse, or connect without one"
        findings.add_once(Misfit(addresses.node.place, what, hint))
    base_url, origins = known.get("base_url"), known.get("allow_origins")
    if not base_url or not origins:
        return
    home = origin_of(base_url.value)
    for origin in origins.value:
        if is_downgrade(home, origin_of(origin)):
            what = f"{spot.under('allow_origins')}: from https no request goes to {origin}"
            findings.add_once(Misfit(origins.node.place, what, "write its https:// origin"))


def _path_template(node: Node, spot: Spot, reading: Reading) -> str:
    """The path as written: it begins with `/`, and has `{name}` for each parameter; empty: the base URL itself."""
    text = TEMPLATE.read(node, spot, reading)
    if not text:
        return ""
    _warn_of_shown(node, spot, reading)
    refuse(_wrong_with_template(text), node, spot)
    for name in COLON_NAME.findall(text):
        message = f"{spot}: `:{name}` is sent as it is"
        reading.findings.warn(Misfit(node.place, message, f"did you mean `{{{name}}}`?"))
    return text


PATH_TEMPLATE = FormOf(_path_template, {"type": "string", "pattern": r"^$|^/(?!/)|\$\{"})


def _wrong_with_template(text: str) -> tuple[str, str]:
    if "://" in text or text.startswith("//"):
        return "expected a path, not a URL", "a service stays on its base_url: write the path alone"
    if not text.startswith("/"):
        return "expected a path that begins with `/`", f"write `/{text}`" if len(
            text
        ) < 60 and text.isprintable() else ""
    if "?" in text:
        return "a query does not belong into a path", "declare it under `query`, or write it under `params`"
    if "#" in text:
        return "a fragment is never sent", "remove it"
    return _wrong_with_parameters(text)


def _wrong_with_parameters(text: str) -> tuple[str, str]:
    angled = ANGLED_NAME.search(text)
    if angled:
        return f"`{angled[0]}` is no parameter", f"did you mean `{{{angled[1]}}}`?"
    literals = PARAMETER.sub("\0", text)
    if "{" in literals or "}" in literals:
        return "a brace without its partner", "a parameter is written `{name}`; percent-encode a literal brace"
    seen: set[str] = set()
    for name in parameters_of(text):
        if not PARAMETER_NAME.fullmatch(name):
            return f"`{{{name}}}` is no parameter's name", "letters, digits, `_`, `-` and `.`, beginning with a letter"
        if name in seen:
            return f"the parameter `{{{name}}}` twice", "give each its own name"
        seen.add(name)
    if "\0\0" in literals:
        return "two parameters without anything between", "one segment holds one value: put a `/` between"
    if not LITERAL.fullmatch(literals.replace("\0", "")):
        return "a character that no path may hold", "percent-encode it"
    if _has_dots(literals):
        return "`.` and `..` segments name another resource", "write the path that is meant"
    return "", ""


def parameters_of(template: str) -> list[str]:
    """The names in a path template, in order."""
    return PARAMETER.findall(template)
