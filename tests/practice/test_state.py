import base64
import time
from email.utils import parsedate_to_datetime

import pytest


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


CLIENT = basic("practice", "practice-secret")


def token(call, form="grant_type=client_credentials", query="", headers=CLIENT):
    return call.post(f"/token{query}", body=form, headers=headers)


def me(call, access_token):
    return call.get("/me", headers={"Authorization": f"Bearer {access_token}"})


def test_a_cacheable_answer_counts_its_requests(call):
    first = call.get("/cached/counted")
    assert first.headers["Cache-Control"] == "max-age=60"
    assert (first.json["served"], call.get("/cached/counted").json["served"]) == (1, 2)
    assert call.get("/cached/counted/count").json["served"] == 2


def test_a_current_version_is_not_sent_again_but_counted(call):
    etag = call.get("/cached/current").headers["ETag"]
    again = call.get("/cached/current", headers={"If-None-Match": f'"x", {etag}'})
    assert (again.status, again.body, again.headers["ETag"]) == (304, b"", etag)
    assert again.headers["X-Served"] == "2"


def test_a_write_makes_a_new_version(call):
    etag = call.get("/cached/written").headers["ETag"]
    assert call("PUT", "/cached/written").status == 200
    assert call.get("/cached/written", headers={"If-None-Match": etag}).status == 200


def test_cache_control_and_vary_are_as_asked_for(call):
    path = "/cached/varied?control=no-store&vary=Accept-Language&vary=Accept"
    answer = call.get(path, headers={"Accept-Language": "de"})
    assert (answer.headers["Cache-Control"], answer.headers["Vary"]) == ("no-store", "Accept-Language, Accept")
    assert answer.json["varied"] == {"Accept-Language": "de", "Accept": None}


def test_a_limit_refuses_what_is_over_it_until_the_window_is_over(call, clock):
    path = "/limited/window?limit=2&window=10"
    assert [call.get(path).status for _ in range(3)] == [200, 200, 429]
    clock.move(9.5)
    refused = call.get(path)
    assert (refused.status, refused.headers["Retry-After"]) == (429, "1")
    clock.move(0.5)
    assert call.get(path).status == 200
    assert call.get("/limited/window/count").json == {"accepted": 3, "refused": 2}


def test_a_limit_tells_its_quota_both_ways(call):
    headers = call.get("/limited/told?limit=5&window=30").headers
    assert headers["RateLimit-Policy"] == '"default";q=5;w=30'
    assert headers["RateLimit"] == '"default";r=4;t=30'
    assert [headers[f"X-RateLimit-{name}"] for name in ("Limit", "Remaining", "Reset")] == ["5", "4", "30"]


def test_retry_after_may_be_a_date_that_is_not_too_early(call):
    path = "/limited/dated?limit=1&window=60&form=date"
    before = time.time()
    call.get(path)
    date = parsedate_to_datetime(call.get(path).headers["Retry-After"]).timestamp()
    assert before + 60 <= date <= time.time() + 61


def test_limits_of_two_keys_are_apart(call):
    assert call.get("/limited/one?limit=1&window=60").status == 200
    assert call.get("/limited/two?limit=1&window=60").status == 200


@pytest.mark.parametrize(
    ("headers", "form"),
    [
        (CLIENT, "grant_type=client_credentials"),
        ({}, "grant_type=client_credentials&client_id=practice&client_secret=practice-secret"),
    ],
)
def test_a_client_gets_a_token_that_opens_me(call, headers, form):
    answer = token(call, form + "&scope=read", headers=headers)
    assert answer.headers["Cache-Control"] == "no-store"
    assert (answer.json["token_type"], answer.json["expires_in"]) == ("Bearer", 3600)
    assert me(call, answer.json["access_token"]).json == {"client": "practice", "scope": "read"}


def test_a_token_expires_when_it_said(call, clock):
    access = token(call, query="?expires_in=30").json["access_token"]
    clock.move(29.5)
    assert me(call, access).status == 200
    clock.move(0.5)
    refused = me(call, access)
    assert refused.status == 401
    assert refused.headers["WWW-Authenticate"] == 'Bearer realm="practice", error="invalid_token"'


def test_a_refresh_token_works_once(call):
    form = "grant_type=refresh_token&refresh_token=" + token(call).json["refresh_token"]
    assert me(call, token(call, form).json["access_token"]).status == 200
    again = token(call, form)
    assert (again.status, again.json) == (400, {"error": "invalid_grant"})


def test_a_revoked_token_is_refused(call):
    access, other = (token(call).json["access_token"] for _ in range(2))
    call.post("/token/revoke", body=f"token={access}")
    assert (me(call, access).status, me(call, other).status) == (401, 200)
    call.post("/token/revoke")
    assert me(call, other).status == 401


def test_tokens_are_counted(fresh):
    for _ in range(3):
        token(fresh)
    assert fresh.get("/token/count").json == {"issued": 3}


@pytest.mark.parametrize(
    "headers", [{}, basic("practice", "wrong"), {"Authorization": "Basic !"}, {"Authorization": "Basic /w=="}]
)
def test_an_unknown_client_gets_no_token(call, headers):
    answer = token(call, headers=headers)
    assert (answer.status, answer.json) == (401, {"error": "invalid_client"})
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


def test_an_unknown_grant_is_an_oauth_error(call):
    assert token(call, "grant_type=password").json == {"error": "unsupported_grant_type"}


def test_without_a_token_the_challenge_carries_no_error(call):
    answer = call.get("/me")
    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="practice"')


def test_basic_takes_the_user_and_password_of_its_path(call):
    assert call.get("/basic/ada/%C3%A9%3A1", headers=basic("ada", "\u00e9:1")).json == {"user": "ada"}
    assert call.get("/basic/ada/right", headers=basic("ada", "wrong")).status == 401
    assert call.get("/basic/ada/right").headers["WWW-Authenticate"].startswith("Basic")


@pytest.mark.parametrize(
    ("place", "path", "headers"),
    [
        ("header", "/key", {"X-API-Key": "practice-key"}),
        ("query", "/key?api_key=practice-key", {}),
        ("cookie", "/key", {"Cookie": "api_key=practice-key"}),
    ],
)
def test_the_api_key_is_taken_in_three_places(call, place, path, headers):
    assert call.get(path, headers=headers).json == {"place": place}


def test_a_wrong_api_key_is_refused(call):
    assert call.get("/key", headers={"X-API-Key": "wrong"}).status == 401


def test_an_envelope_is_always_a_200(call):
    found, missing = call.get("/envelope/users/1"), call.get("/envelope/users/999")
    assert found.json == {"code": 0, "msg": "", "data": call.get("/users/1").json}
    assert (missing.status, missing.json) == (200, {"code": 404, "msg": "no such user", "data": None})


def test_an_envelope_may_be_busy_for_a_while(call):
    codes = [call.get("/envelope/flaky/busy?failures=2").json["code"] for _ in range(3)]
    assert codes == [1001, 1001, 0]


def test_a_chain_of_redirects_ends_at_the_echo(call):
    path, seen = "/redirect/3?status=307", []
    while path.startswith("/redirect"):
        answer = call.post(path, body=b"x")
        path = answer.headers["Location"]
        seen.append((answer.status, path))
    assert [status for status, _ in seen] == [307, 307, 307]
    assert path == "/echo/redirected"


def test_a_redirect_may_lead_to_another_origin(call):
    answer = call.get("/redirect?to=http://127.0.0.1:1/x%0D%0AY:1&status=301")
    assert (answer.status, answer.headers["Location"]) == (301, "http://127.0.0.1:1/x%0D%0AY:1")


def test_cookies_are_set_shown_and_cleared(call):
    assert call.get("/cookies/set?a=1").headers["Set-Cookie"] == "a=1; HttpOnly; Path=/; SameSite=lax"
    assert call.get("/cookies", headers={"Cookie": "a=1; b=2"}).json == {"cookies": {"a": "1", "b": "2"}}
    assert "Max-Age=0" in call.get("/cookies/clear", headers={"Cookie": "a=1"}).headers["Set-Cookie"]
