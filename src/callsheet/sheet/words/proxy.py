"""`proxy`: the proxy that requests go through. A user name and password in its URL are credentials for the proxy."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from urllib.parse import unquote

from callsheet.secret import Derived, Secret
from callsheet.sheet.forms.reading import FormOf, Reading, Spot
from callsheet.sheet.forms.scalars import text_or_secret
from callsheet.sheet.tree.node import Node, Scalar
from callsheet.sheet.words.addresses import refuse

PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
"""The port of a proxy without one, as elsewhere in Python; libcurl by itself would take 1080 for http, too."""
EXPECTED = "the URL of a proxy such as `http://proxy.example:3128`"
URL = re.compile(
    r"(?P<scheme>https?|socks5h?)://"
    r"(?:(?P<user>(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)"
    r"(?::(?P<password>(?:[A-Za-z0-9._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2})*))?@)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?/?"
)


def _proxy_url(node: Node, spot: Spot, reading: Reading) -> str | Secret:
    """The URL with its port; a secret if it holds a user name or password."""
    text = text_or_secret(node, spot, reading, EXPECTED)
    refuse(_wrong_with(text), node, spot)
    assert isinstance(node, Scalar)
    if "@" not in text and not isinstance(node.value, Secret):
        return with_port(text)
    secret = reading.secret(node, spot)
    # In one piece: its scheme must not be taken for a secret of its own, to be masked in every URL.
    return Secret(with_port(text)) if secret.is_constant else Secret(Derived(_now, secret))


PROXY = FormOf(_proxy_url, {"type": "string", "pattern": r"^(https?|socks5h?)://|\$\{"})


def _wrong_with(text: str) -> tuple[str, str]:
    scheme, mark, _ = text.partition("://")
    if not mark or scheme not in PORTS:
        schemes = "http://, https://, socks5:// or socks5h://"
        return f"expected a URL that begins with {schemes}", "`socks5h` lets the proxy look names up"
    match = URL.fullmatch(text)
    if match is None:
        hint = "a path or query does not belong there; in a password, write `@` as %40 and `/` as %2F"
        return "a host, port or user name that cannot be read", hint
    if match["port"] is not None and not 0 < int(match["port"]) < 65536:
        return "a port that cannot be", "a port is a number from 1 to 65535"
    return "", ""


def with_port(url: str) -> str:
    """The URL with its port, without a slash at its end."""
    match = URL.fullmatch(url)
    assert match
    return url.rstrip("/") if match["port"] else f"{url.rstrip('/')}:{PORTS[match['scheme']]}"


def _now(url: str) -> str:
    """The URL that a mounted file holds now. One that cannot be read is passed on, so that connecting fails and says why."""
    return with_port(url) if URL.fullmatch(url) else url


def _password(url: str) -> str:
    match = URL.fullmatch(url)
    return unquote(match["password"] or match["user"] or "") if match else ""


def _basic(url: str) -> str:
    """The credential as it is sent to the proxy (RFC 7617 2)."""
    match = URL.fullmatch(url)
    user, password = (unquote(match[name] or "") for name in ("user", "password")) if match else ("", "")
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def secrets_of(proxy: Secret) -> Iterator[Secret]:
    """Everything to be masked, since a proxy might repeat it: the URL, its password or lone user name, and the Basic form."""
    yield proxy
    if _password(proxy.reveal()):
        for part in (Secret(Derived(_password, proxy)), Secret(Derived(_basic, proxy))):
            yield part.now() if proxy.is_constant else part
