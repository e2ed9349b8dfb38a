"""One line for each exit code, against servers that make it so."""

import pytest

from callsheet import errors
from callsheet.cli.exits import code_of
from tests.servers.actions import answer, close, garbage, half_header_block, silence
from tests.servers.scripted import ScriptedServer

SHEET = """
callsheet: 1
services:
  s:
    base_url: "{url}"
    retry: off
    timeout: 500ms
    caps: {{response: 100}}
    operations:
      plain: {{get: /}}
      typed: {{get: /, returns: object}}
      needs: {{get: "/{{id}}", path: {{id: integer}}}}
"""
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("action", "operation", "code", "error"),
    [
        (answer(200, JSON, b"{}"), "plain", 0, ""),
        (answer(200, JSON, b"{}"), "typed", 0, ""),
        (answer(204), "typed", 0, ""),
        (close(), "plain", 1, "NoAnswer"),
        (garbage(), "plain", 1, "MalformedAnswer"),
        (half_header_block(), "plain", 1, ""),
        (answer(302, {"Location": "/there"}), "plain", 3, "redirected to /there"),
        (answer(302, {"Location": "/there"}), "typed", 3, "Redirected"),
        (answer(400), "plain", 4, "BadRequest"),
        (answer(404, JSON, b'{"a":1}'), "typed", 4, "NotFound"),
        (answer(429), "plain", 4, "RateLimited"),
        (answer(500), "plain", 5, "ServerError"),
        (answer(599), "typed", 5, "ServerError"),
        (answer(200, JSON, b"{"), "typed", 5, "DecodeError"),
        (answer(200, JSON, b"[]"), "typed", 5, "ValidationError"),
        (answer(200, {"Content-Encoding": "gzip"}, b"no"), "plain", 5, "DecodeError"),
        (silence(), "plain", 6, "DeadlinePassed"),
        (answer(200, JSON, b"x" * 200_000), "plain", 6, "ResponseTooLarge"),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_what_the_service_does(callsheet, sheet, action, operation, code, error):
    with ScriptedServer([action]) as server:
        sheet(SHEET.format(url=server.url))
        ended = callsheet("call", operation)
    assert (ended.code, error in ended.err) == (code, True), ended


@pytest.mark.parametrize(
    "arguments",
    [
        ["call", "nothing"],
        ["call", "needs"],
        ["call", "needs", "id=x"],
        ["call", "plain", "odd"],
        ["call", "plain", "--timeout", "never"],
        ["call", "plain", "--file", "missing.yaml"],
        ["call", "plain", "--env", "prod"],
        ["call", "plain", "X-Bad:a\nb"],
        ["request", "GET", "/../x"],
        ["nothing"],
        [],
    ],
)
def test_what_the_user_did(callsheet, sheet, arguments):
    with ScriptedServer() as server:
        sheet(SHEET.format(url=server.url))
        ended = callsheet(*arguments)
        assert server.ledger.requests == []
    assert (ended.code, ended.out) == (2, ""), ended.err
    assert ended.err


def test_what_is_on_the_way(callsheet, sheet, refused_port, blackholed_port):
    sheet(SHEET.format(url=refused_port.url))
    ended = callsheet("call", "plain")
    assert (ended.code, "NotSent" in ended.err) == (1, True)
    sheet(SHEET.format(url=blackholed_port.url))
    assert callsheet("call", "plain").code == 6


def test_a_wrong_certificate_is_the_way(callsheet, sheet, certificates):
    with ScriptedServer(tls=certificates.untrusted()) as server:
        sheet(SHEET.format(url=server.url))
        ended = callsheet("call", "plain")
    assert (ended.code, "TLSError" in ended.err) == (1, True)


def test_every_error_has_a_code():
    every = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.APIError)]
    expected = {
        errors.APIError: 1, errors.SheetError: 2, errors.ArgumentError: 2, errors.UsageError: 2,
        errors.TransportError: 1, errors.NotSent: 1, errors.ConnectTimeout: 6, errors.NoAnswer: 1,
        errors.AttemptTimeout: 6, errors.MalformedAnswer: 1, errors.TLSError: 1, errors.LocalFault: 1, errors.AuthError: 1,
        errors.ApplicationError: 5, errors.DecodeError: 5, errors.ValidationError: 5, errors.ResponseTooLarge: 6, errors.PageLoop: 5,
        errors.Refused: 6, errors.BreakerOpen: 6, errors.LimitReached: 6, errors.DeadlinePassed: 6,
        errors.OriginRefused: 6, errors.ResponseError: 1,
    }  # fmt: skip
    for kind in every:
        if not issubclass(kind, errors.HTTPError):
            assert code_of(kind("x")) == expected[kind], kind
