"""A JWT from the sheet to the wire: made when it is needed, used until a tenth of its life is left."""

import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from callsheet import Sheet
from callsheet.auth import verify_jwt
from callsheet.auth.constant import constant_credential
from callsheet.auth.jwt import JWT
from callsheet.errors import AuthError, ServerError
from callsheet.plan.service import ServicePlans
from callsheet.testing import FrozenClock
from tests.auth.keys import ALGORITHMS, SHARED, auth_of, keys_of, pair
from tests.kept import kept

HS = {"jwt": {"secret": "${KEY}"}}


def sheet_of(auth, url="https://shop.test/v1", *, operations=None, key=SHARED, folder=None, variables=None, **settings):
    operations = operations or {"get": {"get": "/users/{id}"}}
    service = {"base_url": url, "auth": auth, "operations": operations, **settings}
    text = json.dumps({"callsheet": 1, "services": {"shop": service}})
    return Sheet.parse(text, variables={"KEY": key, **(variables or {})}, folder=folder)


def with_more(**options):
    return {"jwt": {**HS["jwt"], **options}}


@pytest.fixture
def clock():
    return FrozenClock()


@pytest.fixture
def shop(world, clock):
    """A service with a fake behind it, and what was sent."""

    def opened(auth, **given):
        fake = world.fake(clock)
        fake.on("GET", "/users/{id}").respond()
        fake.on("GET", "/x").respond()
        made = world(sheet_of(auth, **given), transport=fake, clock=clock)
        made.sent = lambda name="Authorization": [call.headers.get(name) for call in fake.calls]
        made.claims = lambda: claims_of(made.sent()[-1], clock)
        made.fake = fake
        return made

    return opened


def claims_of(field, clock, key=SHARED, algorithms=("HS256",), **given):
    scheme, _, token = field.partition(" ")
    assert scheme == "Bearer"
    return verify_jwt(token, key, algorithms, now=clock.wall(), **given)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_reaches_a_real_server(world, algorithm, echo_server):
    private, public = keys_of(algorithm)
    client = world(sheet_of(auth_of(algorithm), echo_server.url, key=private))
    declared = client.do("call", "get", {"id": "7"}).json()["headers"]["Authorization"]
    undeclared = client.do("get", "/x").json()["headers"]["Authorization"]
    assert declared == undeclared
    claims = verify_jwt(declared.removeprefix("Bearer "), public, [algorithm], issuer="shop-client")
    assert claims["exp"] - claims["iat"] == 3600


def test_the_claims_are_those_of_the_sheet(shop, clock):
    auth = with_more(
        issuer="${WHO}",
        subject=12345,
        audience=["a", "b"],
        expires="5m",
        key_id="k-1",
        claims={"tenant": "${WHO}", "level": 3, "deep": {"list": [1, None, True]}, "gone": None},
    )
    client = shop(auth, variables={"WHO": "service-7"})
    client.do("get", "/x")
    now = int(clock.wall())
    claims = claims_of(client.sent()[0], clock, audience="b")
    assert claims.pop("jti")
    assert claims == {
        "iss": "service-7",
        "sub": "12345",
        "aud": ["a", "b"],
        "iat": now,
        "nbf": now - 30,
        "exp": now + 300,
        "tenant": "service-7",
        "level": 3,
        "deep": {"list": [1, None, True]},
    }
    import jwt

    header = jwt.get_unverified_header(client.sent()[0].removeprefix("Bearer "))
    assert header == {"alg": "HS256", "typ": "JWT", "kid": "k-1"}


def test_a_token_is_reused_until_a_tenth_of_its_life_is_left(shop, clock):
    client = shop(with_more(expires="100s"))
    client.do("get", "/x")
    clock.advance(89.9)
    client.do("call", "get", {"id": "1"})
    clock.advance(0.1)
    client.do("get", "/x")
    client.do("call", "get", {"id": "1"})
    first, same, second, again = client.sent()
    assert first == same != second == again
    assert claims_of(second, clock)["exp"] == int(clock.wall()) + 100


def test_each_token_has_an_id_of_its_own(shop, clock):
    client = shop(with_more(expires="10s"))
    ids = set()
    for _ in range(3):
        client.do("get", "/x")
        ids.add(client.claims()["jti"])
        clock.advance(10)
    assert len(ids) == 3


def test_a_clock_that_was_set_back_makes_a_new_token(shop, clock):
    client = shop(HS)
    client.do("get", "/x")
    clock._start -= 600
    client.do("get", "/x")
    assert client.claims()["iat"] == int(clock.wall())


def test_operations_with_the_same_auth_share_a_token_and_others_have_their_own(shop):
    operations = {
        "a": {"get": "/users/{id}"},
        "b": {"get": "/users/{id}", "timeout": 2},
        "other": {"get": "/users/{id}", "auth": with_more(issuer="other")},
        "open": {"get": "/users/{id}", "auth": False},
    }
    client = shop(HS, operations=operations)
    for name in operations:
        client.do("call", name, {"id": "1"})
    client.service = client.client.service("shop", timeout=3)
    client.do("call", "a", {"id": "1"})
    a, b, other, anonymous, under_other_settings = client.sent()
    assert a == b == under_other_settings != other
    assert anonymous is None


def test_threads_share_one_token(clock):
    plans = ServicePlans(sheet_of(auth_of("RS256"), key=pair("RSA")[0]).services["shop"], {}, (), wall_clock=clock.wall)
    plans.undeclared("GET")
    tokens = kept(plans.scope, "auth")
    barrier = threading.Barrier(8)

    def token(_):
        barrier.wait(5)
        return tokens.token().value.reveal()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(token, range(8)))) == 1


def test_who_waited_while_a_token_was_made_takes_that_one():
    has_looked = threading.Event()
    moments = iter([1.0, 6.0])

    def wall_clock():
        has_looked.set()
        return next(moments)

    auth = sheet_of(HS).services["shop"].settings().auth
    tokens = JWT(auth.options, wall_clock=wall_clock, new_id=lambda: "1")
    found = []
    waiting = threading.Thread(target=lambda: found.append(tokens.token()))
    with tokens._lock:
        waiting.start()
        assert has_looked.wait(5)
        made = tokens._renewed(5.0)
    waiting.join(5)
    assert found == [made]
    assert found[0] is made


def test_each_attempt_has_the_token_that_holds_then(shop, clock):
    client = shop(with_more(expires="10s"), retry={"backoff": {"first": "1ms", "max": "1ms"}})
    client.fake.on("GET", "/slow").respond(503, delay=9.5).respond()
    client.do("get", "/slow")
    first, second = client.sent()
    assert first != second


def test_header_and_scheme_are_chosen_on_the_sheet(shop, clock):
    client = shop(with_more(header="X-Token", scheme=""))
    client.do("get", "/x")
    assert verify_jwt(client.sent("X-Token")[0], SHARED, ["HS256"], now=clock.wall())
    assert client.sent() == [None]


def test_the_token_counts_above_the_services_headers_and_below_the_callers(shop):
    client = shop(HS, headers={"Authorization": "Service x"})
    client.do("get", "/x")
    client.do("get", "/x", headers={"authorization": "Mine y"})
    assert [field.split()[0] for field in client.sent()] == ["Bearer", "Mine"]


def rotated(path, text):
    """Replace the file as a platform does, and let the look once a second be over."""
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    fresh.rename(path)
    stamp = path.stat().st_mtime + 5
    os.utime(path, (stamp, stamp))


def look_again(client):
    """Forget when the file was looked at, instead of waiting for a second."""
    maker = client.service._maker
    for part in maker.plans.settings.auth.options["key"]._parts:
        part._looked -= 2.0


def test_a_mounted_key_is_read_again_when_it_changes(shop, clock, tmp_path):
    path = tmp_path / "jwt.pem"
    path.write_text(pair("RSA")[0])
    client = shop({"jwt": {"key": "${file:jwt.pem}", "algorithm": "RS256"}}, folder=tmp_path)
    client.do("get", "/x")
    rotated(path, pair("RSA-other")[0])
    look_again(client)
    client.do("get", "/x")
    first, second = client.sent()
    assert claims_of(first, clock, pair("RSA")[1], ["RS256"])
    assert claims_of(second, clock, pair("RSA-other")[1], ["RS256"])


def test_while_a_mounted_key_is_half_written_the_last_token_serves_until_it_expires(shop, clock, tmp_path):
    path = tmp_path / "jwt.pem"
    path.write_text(pair("RSA")[0])
    client = shop({"jwt": {"key": "${file:jwt.pem}", "algorithm": "RS256", "expires": "100s"}}, folder=tmp_path)
    client.do("get", "/x")
    rotated(path, "-----BEGIN PRIVATE KEY-----\nhalf")
    look_again(client)
    clock.advance(95)
    client.do("get", "/x")
    first, second = client.sent()
    assert first == second
    clock.advance(5)
    with pytest.raises(AuthError, match=r"shop\.get: no JWT can be made, for the key cannot be used: ") as caught:
        client.do("get", "/x")
    assert (caught.value.attempts, caught.value.was_sent, caught.value.stopped_by) == (0, False, "auth")
    rotated(path, pair("RSA")[0])
    look_again(client)
    client.do("get", "/x")
    assert client.sent()[-1] != first


@pytest.mark.parametrize("broken", [b"\xff\xfe", b""])
def test_while_a_mounted_key_is_no_text_the_last_good_key_signs(shop, clock, tmp_path, broken):
    path = tmp_path / "jwt.pem"
    path.write_text(pair("RSA")[0])
    client = shop({"jwt": {"key": "${file:jwt.pem}", "algorithm": "RS256", "expires": "100s"}}, folder=tmp_path)
    client.do("get", "/x")
    path.write_bytes(broken)
    look_again(client)
    clock.advance(100)
    client.do("get", "/x")
    first, second = client.sent()
    assert first != second
    assert claims_of(second, clock, pair("RSA")[1], ["RS256"])


def test_an_outcome_stays_when_a_further_attempt_has_no_token(shop, clock, tmp_path):
    path = tmp_path / "jwt.pem"
    path.write_text(pair("ES256")[0])
    auth = {"jwt": {"key": "${file:jwt.pem}", "algorithm": "ES256", "expires": "10s"}}
    client = shop(auth, folder=tmp_path, retry={"backoff": {"first": "1ms", "max": "1ms"}}, timeout=25)

    def break_the_key():
        rotated(path, "broken")
        look_again(client)

    client.fake.on("GET", "/slow").respond(503, delay=10.0)
    client.do("get", "/x")
    break_the_key()
    with pytest.raises(ServerError) as caught:
        client.do("get", "/slow")
    assert caught.value.stopped_by == "auth"


def test_a_forked_child_makes_tokens_of_its_own(clock):
    plans = ServicePlans(sheet_of(HS).services["shop"], {}, (), wall_clock=clock.wall)
    plans.undeclared("GET")
    tokens = kept(plans.scope, "auth")
    before = tokens.token()
    plans.forget()
    assert tokens.token().value != before.value


def identity(auth, **given):
    return constant_credential(sheet_of(auth, **given).services["shop"].settings().auth).identity


def test_the_identity_tells_credentials_apart_and_shows_none():
    same = [identity(HS), identity(with_more(expires="5m", header="X-Token"))]
    others = [
        identity(with_more(**option))
        for option in (
            {"issuer": "a"},
            {"subject": "a"},
            {"audience": "a"},
            {"key_id": "a"},
            {"algorithm": "HS384"},
            {"claims": {"tenant": 1}},
        )
    ]
    assert len(set(same)) == 1
    assert len({*same, *others, identity(HS, key=SHARED + "2")}) == len(others) + 2
    assert all(each.startswith("jwt ") and "canary" not in each for each in (*same, *others))
