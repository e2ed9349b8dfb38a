"""Whether requests go to the service directly or through a proxy, and the options that follow.

libcurl would read the proxy variables of the environment for each transfer, and send the credential of a proxy to the
host that they name. Its own reading is therefore off, and the proxy is chosen here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment
from urllib.request import proxy_bypass_environment as is_spared  # type: ignore[attr-defined]

import pycurl

from callsheet.errors import UsageError
from callsheet.http.request import Origin
from callsheet.secret import Secret
from callsheet.tls.trust_store import trust_store
from callsheet.transports.connection_settings import ConnectionSettings
from callsheet.transports.curl.identity import Identity
from callsheet.transports.curl.options import CurlOptions, constant_options
from callsheet.transports.curl.trust import Trust

PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
Ends = tuple[tuple[str, int], ...]
SUPPRESS_CONNECT_HEADERS = 265
"""An option of libcurl (curl/curl.h) that pycurl has no name for: it keeps the proxy's header lines out of the answer."""


class Proxy(NamedTuple):
    """A proxy, and the user name and password for it."""

    scheme: str
    host: str
    port: int
    user: str | None = None
    password: str | None = None

    def __repr__(self) -> str:
        return f"<{self.scheme} proxy {self.host}:{self.port}>"

    @property
    def options(self) -> CurlOptions:
        """The libcurl options for this proxy."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        options: CurlOptions = [
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
    """The proxy at a URL, `http` if it names no scheme. Raises UsageError, which does not repeat the URL."""
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
    """The proxy and the constant options for each origin of a transport.

    `varies`: the options depend on the origin or on files, so `constants_for` has to be called for each request.
    """

    def __init__(self, settings: ConnectionSettings, variables: Mapping[str, str]) -> None:
        self.constants = constant_options(settings)
        self.is_proxied = settings.proxy is not None or bool(variables)
        self._watched = [made for made in (Trust.of(settings.tls), Identity.of(settings.tls)) if made is not None]
        self.varies = self.is_proxied or bool(self._watched)
        self._fixed = self.constants
        self._files: list[CurlOptions] = []
        self._proxy = settings.proxy
        self._variables = dict(variables)
        self._by_proxy: dict[Proxy, CurlOptions] = {}
        self._by_url: dict[str, Proxy] = {}

    def ends(self, origin: Origin) -> Ends:
        """The hosts and ports whose addresses libcurl needs to reach an origin."""
        proxy = self.proxy_for(origin)
        if proxy is None:
            return ((origin.host, origin.port),)
        ours = (proxy.host, proxy.port)
        return (ours, (origin.host, origin.port)) if proxy.scheme == "socks5" else (ours,)

    def constants_for(self, origin: Origin) -> CurlOptions:
        """The options that all transfers to an origin have in common: the same list object until they change.

        Raises TLSError for unusable files of `tls`, UsageError for a malformed proxy URL.
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
        """The declared proxy, else the environment's for this origin, else None. Raises UsageError for a malformed URL."""
        declared = self._proxy
        if declared is not None:
            return self._proxy_at(declared.reveal() if isinstance(declared, Secret) else declared, "proxy")
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
    """The NextHop of a transport, with proxies and `.netrc` of the environment if `trust_env` allows them."""
    variables = getproxies_environment() if settings.trust_env and settings.proxy is None else {}
    route = NextHop(settings, variables)
    if settings.trust_env and settings.is_home:
        route.constants.append((pycurl.NETRC, pycurl.NETRC_OPTIONAL))
        if os.environ.get("NETRC"):
            route.constants.append((pycurl.NETRC_FILE, os.environ["NETRC"]))
    return route
