"""Which hosts `no_proxy` spares the proxy.

The standard library compares names alone, so that a range would count for nothing, and requests to the internal net would
hand their credentials to the proxy. Entries are separated by commas or white space, and each is `*`, a name (its subdomains
are spared, too), a pattern such as `*.corp`, an address, or a range such as `10.0.0.0/8`; all but a range may end with a port.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

Address = IPv4Address | IPv6Address
PORT = re.compile(r"(?P<host>\[.*\]|[^:]*):(?P<port>[0-9]+)")


@lru_cache(1024)
def is_spared(host: str, port: int, no_proxy: str) -> bool:
    """Whether requests to a host and port go to it directly. An entry that cannot be read spares nothing."""
    name = host.lower().rstrip(".")
    address = _address(name)
    return any(_spares(entry, name, address, port) for entry in re.split(r"[\s,]+", no_proxy.lower()) if entry)


def _spares(entry: str, name: str, address: Address | None, port: int) -> bool:
    match = PORT.fullmatch(entry)
    if match and int(match["port"]) != port:
        return False
    entry = (match["host"] if match else entry).replace("[", "").replace("]", "").strip(".")
    if "*" in entry:
        return fnmatchcase(name, entry)
    if address is None:
        return bool(entry) and f".{name}".endswith(f".{entry}")
    try:
        network = ip_network(entry, strict=False) if "/" in entry else None
    except ValueError:
        return False
    return address in network if network is not None else address == _address(entry)


def _address(text: str) -> Address | None:
    """The address without its zone; an IPv4 address inside an IPv6 one (`::ffff:10.0.0.1`) as that IPv4 address."""
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
