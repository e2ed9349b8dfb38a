"""Neither the secret nor the token shows, whatever happens to a call."""

import logging
import pickle
import traceback

import pytest

from callsheet.errors import APIError
from callsheet.sheet import Sheet
from tests.auth.keys import SHARED, pair
from tests.kept import kept
from tests.secrets.test_canary import WAYS
from tests.servers import ScriptedServer, answer, answer_with

KINDS = {
    "secret": ('secret: "${KEY}"', SHARED),
    "key": ('key: "${KEY}", algorithm: EdDSA', pair("EdDSA")[0]),
    "file": ('secret: "${file:key.txt}", claims: {tenant: "${TENANT}"}', SHARED),
    "no scheme": ('secret: "${KEY}", header: X-Token, scheme: ""', SHARED),
}
TENANT = "tenant-canary-1"


def sheet_of(kind, url, tmp_path, settings=""):
    written, key = KINDS[kind]
    (tmp_path / "key.txt").write_text(key + "\n")
    text = f"""
callsheet: 1
services:
  shop:
    base_url: "{url}"
    retry: off
    {settings}
    auth: {{jwt: {{{written}}}}}
    operations: {{op: {{get: /x}}}}
"""
    return Sheet.parse(text, variables={"KEY": key, "TENANT": TENANT}, folder=tmp_path), key


def everything_of(thing):
    shown = [repr(thing), str(thing), pickle.dumps(thing).decode("latin-1")]
    if isinstance(thing, BaseException):
        shown.append("".join(traceback.format_exception(thing)))
    for name in ("request", "response", "headers"):
        part = getattr(thing, name, None)
        shown += [repr(part), repr(getattr(part, "headers", None)), repr(getattr(part, "url", None))]
    return shown


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_secret_makes_the_token_and_shows_nowhere(world, kind, way, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    events, shown = [], []
    with ScriptedServer(WAYS[way]) as server:
        sheet, key = sheet_of(kind, server.url, tmp_path)
        client = world(sheet, listeners=(events.append,))
        for call in (("call", "op"), ("get", "/x")):
            try:
                answered = client.do(*call, timeout=0.2)
                shown += everything_of(answered)
            except APIError as error:
                shown += everything_of(error)
        fields = [request.header("X-Token") or request.header("Authorization") for request in server.requests]
    settings = sheet.services["shop"].settings()
    scope = client.service._maker.plans.scope
    tokens = kept(scope, "auth")
    shown += [repr(each) for each in (sheet, settings, client.client, client.service, scope, tokens, tokens.token())]
    shown += [str(client.service.explain("op")), repr(events), caplog.text]
    shown += [repr(record.__dict__) for record in caplog.records]
    sent = {field.removeprefix("Bearer ") for field in fields}
    # Each of the two calls that are refused brings a token more.
    assert len(sent) == (3 if way == "refused" else 1)
    spelled = [*sent, TENANT, SHARED, *key.splitlines()[1:-1]]
    assert not [text for text in shown for secret in spelled if secret in text]


def test_a_token_that_a_redirect_names_is_masked(world, tmp_path):
    def to_itself(request):
        token = (request.header("Authorization") or "").removeprefix("Bearer ")
        if "landed" in request.target:
            return answer(404, {"Content-Type": "application/json"}, b"{}")
        return answer(302, {"Location": f"/landed?t={token}"}, b"")

    with ScriptedServer(answer_with(to_itself)) as server:
        sheet, _ = sheet_of("secret", server.url, tmp_path, "redirects: same-origin")
        with pytest.raises(APIError) as caught:
            world(sheet).do("get", "/x")
        token = server.requests[0].header("Authorization").removeprefix("Bearer ")
        assert token in server.requests[1].target
    assert caught.value.request.url.endswith("/landed?t=***")
    assert not [text for text in everything_of(caught.value) if token in text]


def test_nor_among_the_locals_of_what_is_raised(tmp_path):
    from callsheet.auth import verify_jwt
    from callsheet.auth.jwt import JWT
    from callsheet.secret import Secret

    given = {"algorithm": "RS256", "expires": 60.0, "header": "Authorization", "scheme": "Bearer"}
    tokens = JWT({"key": Secret(SHARED), **given}, wall_clock=lambda: 0.0, new_id=lambda: "1")
    for fails in (tokens.token, lambda: verify_jwt("a.b.c", Secret(SHARED), ["RS256"])):
        with pytest.raises(APIError) as caught:
            fails()
        told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
        assert not [text for text in told.format() if SHARED in text and "test_secrets.py" not in text]
