"""A token of a provider at the command line: fetched where it is needed, and not where nothing is sent."""

import pytest

SHEET = """
callsheet: 1
services:
  s:
    base_url: "{url}"
    auth:
      oauth2: {{token_url: "{url}/token", client_id: practice, client_secret: "${{SECRET}}", scopes: read}}
    operations: {{me: {{get: /me}}}}
"""


@pytest.fixture
def told(callsheet, sheet, practice, monkeypatch):
    monkeypatch.setenv("SECRET", "practice-secret")
    sheet(SHEET.format(url=practice.url))
    return callsheet


def test_a_call_fetches_one_and_verbose_says_so(told, practice):
    ended = told("call", "me", "-v")
    assert ended.code == 0
    assert '"scope":"read"' in ended.out
    assert f"* a token from {practice.url}/token in" in ended.err
    assert "practice-secret" not in ended.err


@pytest.mark.parametrize("way", ["--dry-run", "--curl"])
def test_nothing_is_fetched_where_nothing_is_sent(told, monkeypatch, way):
    monkeypatch.setenv("SECRET", "wrong")
    ended = told("call", "me", way)
    assert ended.code == 0
    assert "Authorization: ***" in ended.out or "Authorization: Bearer ${S_AUTHORIZATION}" in ended.out


def test_a_refusal_is_told_with_its_code(told, monkeypatch):
    monkeypatch.setenv("SECRET", "wrong-secret")
    ended = told("call", "me")
    assert ended.code == 1
    assert "it answered 401 invalid_client" in ended.err
    assert "wrong-secret" not in ended.err
