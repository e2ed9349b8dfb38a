"""Which addresses belong to the public internet.

The tables are our own copy of IANA's special-purpose registries (RFC 6890), because the results of `ipaddress.is_global`
differ between patch releases of Python. An address counts as public only beyond doubt: of IPv6 only 2000::/3 is assigned,
and of that the ranges that carry IPv4 addresses (6to4, Teredo) are refused, since both protocols were given up.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

NOT_PUBLIC_V4 = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",  # this host (RFC 791 3.2)
            "10.0.0.0/8",  # private (RFC 1918)
            "100.64.0.0/10",  # carrier-grade NAT (RFC 6598); a cloud's metadata at 100.100.100.200
            "127.0.0.0/8",  # loopback (RFC 1122 3.2.1.3)
            "168.63.129.16/32",  # a cloud's metadata, at an address that looks public
            "169.254.0.0/16",  # link-local (RFC 3927); most clouds' metadata at 169.254.169.254
            "172.16.0.0/12",  # private (RFC 1918)
            "192.0.0.0/24",  # protocol assignments (RFC 6890); a cloud's metadata at 192.0.0.192
            "192.0.2.0/24",  # documentation (RFC 5737)
            "192.88.99.0/24",  # 6to4 relays, given up (RFC 7526)
            "192.168.0.0/16",  # private (RFC 1918)
            "198.18.0.0/15",  # benchmarking (RFC 2544)
            "198.51.100.0/24",  # documentation (RFC 5737)
            "203.0.113.0/24",  # documentation (RFC 5737)
            "224.0.0.0/4",  # multicast (RFC 5771)
            "240.0.0.0/4",  # reserved, and limited broadcast (RFC 1112 4)
        ),
    )
)
GLOBAL_UNICAST = IPv6Network("2000::/3")
"""The only IPv6 addresses that are assigned (RFC 4291 2.4): outside are loopback, unique local, link-local, site-local,
multicast, and the translations of NAT64 (64:ff9b::/96 and 64:ff9b:1::/48)."""
NOT_PUBLIC_V6 = tuple(
    map(
        ip_network,
        (
            "2001::/23",  # protocol assignments (RFC 2928), among them Teredo, benchmarking and ORCHID
            "2001:db8::/32",  # documentation (RFC 3849)
            "2002::/16",  # 6to4 (RFC 3056): an IPv4 address in disguise
            "3ffe::/16",  # a test network, given back (RFC 3701)
            "3fff::/20",  # documentation (RFC 9637)
        ),
    )
)


ISATAP = 0x0000_5EFE
"""The middle of an interface identifier that contains an IPv4 address (RFC 5214 6.1), without its universal/local bit."""


def is_public(address: str) -> bool:
    """Whether an address, as a resolver or the operating system writes it, is on the public internet.

    An IPv4 address inside an IPv6 one (`::ffff:127.0.0.1`) counts as that IPv4 address. An address with a zone, and a
    text that is no address, is not public.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address):
        if found.scope_id is not None:
            return False
        if found.ipv4_mapped is None:
            return _is_public_v6(found)
        found = found.ipv4_mapped
    return _is_public_v4(found)


def _is_public_v4(address: IPv4Address) -> bool:
    return not any(address in network for network in NOT_PUBLIC_V4)


def _is_public_v6(address: IPv6Address) -> bool:
    if (int(address) >> 32) & 0xFDFF_FFFF == ISATAP:
        return False
    return address in GLOBAL_UNICAST and not any(address in network for network in NOT_PUBLIC_V6)
