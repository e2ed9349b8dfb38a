"""Which hosts `no_proxy` spares."""

from __future__ import annotations

import pytest

from callsheet.transports.curl.spared import is_spared


@pytest.mark.parametrize(
    ("no_proxy", "host"),
    [
        ("*", "a.test"),
        ("a.test, *", "b.test"),
        ("corp", "corp"),
        ("corp", "a.b.corp"),
        (".corp", "a.corp"),
        (".corp", "corp"),
        ("*.corp", "a.b.corp"),
        ("a.*.corp", "a.b.corp"),
        ("A.Corp", "a.corp"),
        ("a.corp", "A.CORP."),
        ("a.corp.", "a.corp"),
        ("b.test a.test", "a.test"),
        (" b.test ,\ta.test ", "a.test"),
        ("b.test,,a.test", "a.test"),
        ("a.test:80", "a.test"),
        ("*.test:80", "a.test"),
        ("10.0.0.0/8", "10.1.2.3"),
        ("10.9.9.9/8", "10.1.2.3"),
        ("b.test, 10.0.0.0/8", "10.1.2.3"),
        ("0.0.0.0/0", "192.0.2.1"),
        ("10.1.2.3/32", "10.1.2.3"),
        ("10.1.2.3:80", "10.1.2.3"),
        ("10.*", "10.1.2.3"),
        ("10.0.0.0/8", "::ffff:10.1.2.3"),
        ("10.1.2.3", "::ffff:a01:203"),
        ("fd00::/8", "fd12::1"),
        ("[fd00::]/8", "fd12::1"),
        ("::/0", "2001:db8::1"),
        ("::1", "::1"),
        ("[::1]", "::1"),
        ("[::1]:80", "::1"),
        ("0:0:0:0:0:0:0:1", "::1"),
        ("::1", "0:0:0:0:0:0:0:1"),
        ("FE80::/10", "fe80::1%25eth0"),
        ("fe80::1%eth0", "fe80::1"),
    ],
)
def test_spared(no_proxy: str, host: str) -> None:
    assert is_spared(host, 80, no_proxy)


@pytest.mark.parametrize(
    ("no_proxy", "host"),
    [
        ("", "a.test"),
        (" , .", "a.test"),
        ("corp", "mycorp"),
        ("*.corp", "corp"),
        ("*.corp", "a.corp.test"),
        ("a.test:81", "a.test"),
        ("*:81", "a.test"),
        ("[::1]:81", "::1"),
        ("10.0.0.0/8", "11.0.0.1"),
        ("10.0.0.0/8", "10.test"),
        ("10.0.0.0/8", "fd00::1"),
        ("10.0.0.0/99", "10.1.2.3"),
        ("a.test/8", "a.test"),
        ("3", "10.1.2.3"),
        ("fd00::/8", "fe00::1"),
        ("::/0", "10.1.2.3"),
    ],
)
def test_not_spared(no_proxy: str, host: str) -> None:
    assert not is_spared(host, 80, no_proxy)
