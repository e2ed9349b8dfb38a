"""Which addresses are connected to, asked at the last moment: when libcurl opens a socket.

A name may mean another address the second time it is looked up, and one address is spelled in a dozen ways; a socket
has one address in one spelling.
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
"""Whether an address, as the operating system writes it, may be connected to."""


def allows_of(settings: ConnectionSettings, classify: Allows = is_public) -> Allows | None:
    """What decides about addresses; None where any will do."""
    return classify if settings.addresses == "public" else None


def refusal(host: str, found: str) -> OriginRefused:
    """The error for a host that means an address which is not public."""
    means = f"{found} is" if host == found else f"`{host}` means {found}, which is"
    return OriginRefused(
        f"{means} not a public address (addresses: public); where that is intended, write `addresses: any` at the service",
        stopped_by="addresses",
    )


class _Lent(socket.socket):
    """A socket of which pycurl takes a duplicate: ours is closed when it is dropped, as is meant."""

    def __del__(self) -> None:
        if self.fileno() >= 0:  # else none could be made
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
        """The socket, or the sign that there is none, upon which libcurl tries the host's next address."""
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
