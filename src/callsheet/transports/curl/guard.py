"""Allows or refuses an address when libcurl opens a socket to it.

An earlier check could be deceived: a second lookup of a name may give another address, and one address has a dozen
spellings. A socket has one address in one spelling.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pycurl

from callsheet.errors import OriginRefused
from callsheet.http.public import is_public
from callsheet.transports.connection_settings import ConnectionSettings

Allows = Callable[[str], bool]
"""Whether connections to an address, as the operating system writes it, are allowed."""


def allows_of(settings: ConnectionSettings, classify: Allows = is_public) -> Allows | None:
    """The function that decides about addresses; None if all are allowed."""
    return classify if settings.addresses == "public" else None


def refusal(host: str, found: str) -> OriginRefused:
    """The error for a host whose address is not public."""
    means = f"{found} is" if host == found else f"`{host}` means {found}, which is"
    return OriginRefused(
        f"{means} not a public address (addresses: public); where that is intended, write `addresses: any` at the service",
        stopped_by="addresses",
    )


class _Lent(socket.socket):
    """A socket that pycurl duplicates. Closing ours when it is collected is intended, so it gives no ResourceWarning."""

    def __del__(self) -> None:
        self.close()


class Guard:
    """Opens the sockets of one handle, and remembers which address it refused."""

    __slots__ = ("_allows", "opened", "refused")

    def __init__(self, allows: Allows) -> None:
        self._allows = allows
        self.begin()

    def begin(self) -> None:
        """Forget the transfer before."""
        self.opened = False
        self.refused = ""

    def open(self, _purpose: int, address: Any) -> Any:
        """Open a socket for libcurl. SOCKET_BAD if it is refused or fails: libcurl then tries the host's next address."""
        family, kind, protocol, where = address
        host = where[0] if family in (socket.AF_INET, socket.AF_INET6) else where
        found = host.decode("latin-1") if isinstance(host, bytes) else str(host)
        if family not in (socket.AF_INET, socket.AF_INET6) or not self._allows(found):
            self.refused = found
            return pycurl.SOCKET_BAD
        try:
            made = _Lent(family, kind, protocol)
        except OSError:
            return pycurl.SOCKET_BAD
        self.opened = True
        return made
