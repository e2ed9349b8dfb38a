"""Through whom requests go: to the service itself, or through a proxy.

libcurl would read the environment's proxy variables by itself, each time, and send a proxy's credential wherever they
point: so it is told not to, and what it shall do is decided here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment
from urllib.request import proxy_bypass_environment as is_spared  # type: ignore[attr-defined]

import pycurl

from callsheet.errors import UsageError
from callsheet.http.request import Origin
from callsheet.secret import Secret
from callsheet.tls.trust_store import trust_store
from callsheet.transports.connection_settings import ConnectionSettings
from callsheet.transports.curl.identity import CurlOptions, Identity
from callsheet.transports.curl.options import constant_options
from callsheet.transports.curl.trust import Trust

PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
Constants = list[tuple[int, Any]]
Ends = tuple[tuple[str, int], ...]
SUPPRESS_CONNECT_HEADERS = 265
"""An option of libcurl (curl/curl.h) that pycurl has no name for: the proxy's answer is not the service's."""


class Proxy(NamedTuple):
    """A proxy, and what it knows us by."""

    scheme: str
    host: str
    port: int
    user: str | None = None
    password: str | None = None

    def __repr__(self) -> str:
        return f"<{self.scheme} proxy {self.host}:{self.port}>"

    @property
    def options(self) -> Constants:
        """What libcurl is told of it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        options: Constants = [
            (pycurl.PROXY, f"{self.scheme}://{host}:{self.port}"),
            (pycurl.NOPROXY, ""),
            (pycurl.PROXYHEADER, ["User-Agent:"]),
            (SUPPRESS_CONNECT_HEADERS, 1),
        ]
        if self.scheme == "https":
            options += [(pycurl.PROXY_CAINFO, trust_store()), (pycurl.PROXY_SSLVERSION, pycurl.SSLVERSION_TLSv1_2)]
        if self.user is not None:
            options += [(pycurl.PROXYUSERNAME, self.user), (pycurl.PROXYPASSWORD, Secret(self.password or ""))]
        return options


def proxy_of(url: str, source: str) -> Proxy:
    """The proxy at a URL; `http` is meant where it has no scheme. Raises UsageError, which does not repeat the URL."""
    parts = urlsplit(url if "://" in url else f"http://{url}")
    try:
        host, port = parts.hostname, parts.port or PORTS[parts.scheme]
    except (KeyError, ValueError):
        host, port = None, 0
    if not host:
        raise UsageError(
            f"{source}: expected a URL such as http://proxy.example:3128, of http, https, socks5 or socks5h"
        )
    user = None if parts.username is None else unquote(parts.username)
    return Proxy(parts.scheme, host, port, user, unquote(parts.password or ""))


class NextHop:
    """The way to a service."""

    def __init__(self, settings: ConnectionSettings, variables: Mapping[str, str]) -> None:
        self.constants = constant_options(settings)
        self.is_proxied = settings.proxy is not None or bool(variables)
        self._watched = [made for made in (Trust.of(settings.tls), Identity.of(settings.tls)) if made is not None]
        self.varies = self.is_proxied or bool(self._watched)
        self._fixed = self.constants
        self._files: list[CurlOptions] = []
        self._proxy = settings.proxy
        self._variables = dict(variables)
        self._by_proxy: dict[Proxy, Constants] = {}
        self._by_url: dict[str, Proxy] = {}

    def ends(self, origin: Origin) -> Ends:
        """The hosts and ports whose addresses libcurl must be given to get to an origin."""
        proxy = self.proxy_for(origin)
        if proxy is None:
            return ((origin.host, origin.port),)
        ours = (proxy.host, proxy.port)
        return (ours, (origin.host, origin.port)) if proxy.scheme == "socks5" else (ours,)

    def constants_for(self, origin: Origin) -> Constants:
        """The options that every transfer to an origin has in common: the same list while they stay the same.

        Raises TLSError for files of `tls` that cannot be used, UsageError for a proxy that is none.
        """
        if self._watched:
            self._look_at_files()
        proxy = self.proxy_for(origin)
        if proxy is None:
            return self.constants
        known = self._by_proxy.get(proxy)
        if known is None:
            known = self._by_proxy[proxy] = [*self.constants, *proxy.options]
        return known

    def _look_at_files(self) -> None:
        files = [watched.options() for watched in self._watched]
        if any(new is not known for new, known in zip(files, self._files, strict=False)) or not self._files:
            self.constants = [*self._fixed, *(option for options in files for option in options)]
            self._by_proxy = {}
            self._files = files

    def proxy_for(self, origin: Origin) -> Proxy | None:
        """The proxy that stands before an origin: the declared one, or that of the environment. Raises UsageError."""
        if isinstance(self._proxy, Secret):
            return self._proxy_at(self._proxy.reveal(), "proxy")
        if self._proxy is not None:
            return self._proxy_at(self._proxy, "proxy")
        url = self._variables.get(origin.scheme) or self._variables.get("all")
        if not url or is_spared(f"{origin.host}:{origin.port}", self._variables):
            return None
        return self._proxy_at(url, f"{origin.scheme}_proxy")

    def _proxy_at(self, url: str, source: str) -> Proxy:
        known = self._by_url.get(url)
        if known is None:
            known = self._by_url[url] = proxy_of(url, source)
        return known


def next_hop_for(settings: ConnectionSettings) -> NextHop:
    """The way that a transport's requests go."""
    variables = getproxies_environment() if settings.trust_env and settings.proxy is None else {}
    route = NextHop(settings, variables)
    if settings.trust_env and settings.is_home:
        route.constants.append((pycurl.NETRC, pycurl.NETRC_OPTIONAL))
        if os.environ.get("NETRC"):
            route.constants.append((pycurl.NETRC_FILE, os.environ["NETRC"]))
    return route
