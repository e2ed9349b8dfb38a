"""Requests to another origin, from the command line."""

import pytest

SHEET = """
callsheet: 1
services:
  s:
    base_url: https://api.example.com
    allow_origins: [https://cdn.example.com]
    auth: {jwt: {secret: "${CANARY}"}}
    headers: {X-Tenant: "7"}
"""


@pytest.fixture(autouse=True)
def _canary(sheet, monkeypatch):
    monkeypatch.setenv("CANARY", "canary-0123456789abcdefghijklmnopqrstuvwxyz")
    sheet(SHEET)


@pytest.mark.parametrize("way", ["--curl", "--dry-run"])
def test_a_preview_shows_what_would_go_there(callsheet, way):
    at_home = callsheet("request", "GET", "https://api.example.com/x", way).out
    elsewhere = callsheet("request", "GET", "https://cdn.example.com/x", way).out
    assert "Authorization" in at_home
    assert "X-Tenant" in at_home
    assert "https://cdn.example.com/x" in elsewhere
    assert "Authorization" not in elsewhere
    assert "X-Tenant" not in elsewhere


def test_the_curl_that_is_shown_presents_no_certificate_there(callsheet, sheet, certificates):
    tls = f"{{cert: {certificates.client_cert_file}, key: {certificates.client_key_file}, ca: {certificates.ca_file}}}"
    sheet(f"{SHEET}    tls: {tls}\n")
    at_home = callsheet("request", "GET", "/x", "--curl").out
    elsewhere = callsheet("request", "GET", "https://cdn.example.com/x", "--curl").out
    assert "--cert " in at_home
    assert "--key " in at_home
    assert "--cacert " in elsewhere
    assert "--cert " not in elsewhere
    assert "--key " not in elsewhere


def test_any_other_origin_is_refused(callsheet):
    ended = callsheet("request", "GET", "https://evil.example/x")
    assert ended.code == 6
    assert "write `allow_origins: [https://evil.example]`" in ended.err
