"""Which addresses are public: the special-purpose registries, one fact each, and what Python's own tables say."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.http.public import NOT_PUBLIC_V4, NOT_PUBLIC_V6, is_public

PUBLIC = [
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "93.184.216.34", "100.63.255.255", "100.128.0.0",
    "126.255.255.255", "128.0.0.1", "168.63.129.15", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0",
    "192.0.1.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
    "2606:4700:4700::1111", "2001:4860:4860::8888", "2a00:1450:4001::1", "2001:200::1", "::ffff:8.8.8.8",
]  # fmt: skip
NOT_PUBLIC = {
    "ISATAP": ["2a00::5efe:10.0.0.1", "2a00:1450::200:5efe:7f00:1"],
    "unspecified": ["0.0.0.0", "0.1.2.3", "::"],
    "loopback": ["127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1", "::ffff:7f00:1"],
    "private": ["10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.1", "::ffff:10.0.0.1"],
    "link-local": ["169.254.0.1", "fe80::1", "fe80::1%eth0", "::ffff:169.254.169.254"],
    "metadata": ["169.254.169.254", "fd00:ec2::254", "100.100.100.200", "192.0.0.192", "168.63.129.16", "fd20:ce::254"],
    "CGNAT": ["100.64.0.0", "100.127.255.255"],
    "unique local": ["fc00::1", "fd12:3456::1"],
    "site-local": ["fec0::1"],
    "multicast": ["224.0.0.1", "239.255.255.255", "ff02::1", "ff0e::1"],
    "reserved": ["240.0.0.1", "255.255.255.255", "192.0.0.1", "4000::1", "5f00::1", "e000::1", "100::1"],
    "documentation": ["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"],
    "benchmarking": ["198.18.0.1", "198.19.255.255", "2001:2::1"],
    "NAT64": ["64:ff9b::7f00:1", "64:ff9b::8.8.8.8", "64:ff9b:1::a00:1"],
    "IPv4-compatible": ["::127.0.0.1", "::8.8.8.8"],
    "translated": ["::ffff:0:127.0.0.1"],
    "6to4": ["2002:7f00:1::", "2002:a00:1::1", "2002:808:808::1", "192.88.99.1"],
    "Teredo": ["2001:0:7f00:1::", "2001::1"],
    "zone": ["2606:4700:4700::1111%eth0"],
    "none": ["", "localhost", "2130706433", "0x7f000001", "127.1", "0177.0.0.1", "1.1.1.1.", "[::1]", "1.1.1.1/32"],
}  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address):
    assert is_public(address)


@pytest.mark.parametrize(("kind", "address"), [(kind, each) for kind, listed in NOT_PUBLIC.items() for each in listed])
def test_not_public(kind, address):
    assert not is_public(address)


ADDRESSES = st.one_of(
    st.ip_addresses(),
    *(st.ip_addresses(network=network) for network in (*NOT_PUBLIC_V4, *NOT_PUBLIC_V6)),
    st.ip_addresses(network="2000::/3"),
)


@given(ADDRESSES)
def test_what_python_calls_private_is_never_public(address):
    found = getattr(address, "ipv4_mapped", None) or address
    assert not is_public(str(address)) or (found.is_global and not found.is_multicast)


@given(st.ip_addresses(v=4))
def test_an_address_inside_another_counts_as_what_it_is(address):
    assert is_public(f"::ffff:{address}") == is_public(str(address))
    assert not is_public(f"64:ff9b::{address}")
    assert not is_public(f"::{address}")


@given(ADDRESSES)
def test_every_spelling_of_an_ipv6_address_is_one(address):
    if address.version == 6:
        assert is_public(address.exploded) == is_public(address.compressed) == is_public(str(address).upper())


def test_the_edges_of_every_range_are_in_it():
    for network in (*NOT_PUBLIC_V4, *NOT_PUBLIC_V6):
        assert not is_public(str(network[0]))
        assert not is_public(str(ipaddress.ip_address(int(network[-1]))))
