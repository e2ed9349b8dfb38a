"""Tokens of a real provider (Authlib's), over TLS, in both colours."""

import asyncio
import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from callsheet import AsyncClient, Sheet
from callsheet.errors import AuthError, DeadlinePassed, Unauthorized, UsageError
from callsheet.events import TokenFetched
from tests.auth.keys import pair
from tests.auth.worlds import Threads
from tests.origins.test_credentials import optional_client
from tests.servers import ScriptedServer, answer
from tests.servers.provider import SECRET, Provider

CLIENT = {"client_id": "shop", "client_secret": "${SECRET}"}


@pytest.fixture
def provider(certificates):
    with Provider(certificates.good(), pair("RS256")[1]) as provider:
        yield provider


@pytest.fixture
def sheet_for(provider, certificates, tmp_path):
    """A sheet whose service `shop` has the provider's own resource, with these options of `oauth2`."""

    def made(variables=None, operations=None, **options):
        return sheet_of(provider, certificates, {**CLIENT, **options}, variables, operations, tmp_path)

    return made


def sheet_of(provider, certificates, options, variables=None, operations=None, folder=None, **settings):
    options = {"token_url": provider.token_url, **{name: each for name, each in options.items() if each is not None}}
    service = {
        "base_url": provider.url,
        "tls": {"ca": str(certificates.ca_file)},
        "auth": {"oauth2": options},
        "operations": operations
        or {"me": {"get": "/me", "returns": "object"}, "send": {"post": "/me", "returns": "object"}},
        "retry": "off",
        **settings,
    }
    text = json.dumps({"callsheet": 1, "services": {"shop": service}})
    given = {"SECRET": SECRET, "KEY": pair("RS256")[0], **(variables or {})}
    return Sheet.parse(text, variables=given, folder=folder)


@pytest.mark.parametrize("way", ["basic", "body"])
def test_client_credentials(world, provider, sheet_for, way):
    client = world(sheet_for(client_auth=way, scopes=["read", "write"]))
    assert client.do("call", "me")["client"] == "shop"
    assert client.do("get", "/me").json()["scope"] == "read write"
    assert [form["grant_type"] for form in provider.asked] == ["client_credentials"]
    assert ("client_secret" in provider.asked[0]) is (way == "body")


def test_private_key_jwt_signs_an_assertion_anew_each_time(world, provider, sheet_for):
    client = world(
        sheet_for(client_id="keyed", client_secret=None, client_assertion={"key": "${KEY}", "algorithm": "RS256"})
    )
    assert client.do("call", "me")["client"] == "keyed"
    provider.revoke()
    assert client.do("call", "me")["client"] == "keyed"
    first, second = (form["client_assertion"] for form in provider.asked)
    assert first != second
    assert len(provider.assertions) == 2


def test_the_jwt_bearer_grant(world, provider, sheet_for):
    assertion = {"key": "${KEY}", "algorithm": "RS256", "subject": "ada"}
    client = world(sheet_for(client_secret=None, assertion=assertion, scopes="read"))
    assert client.do("call", "me") == {"client": "shop", "scope": "read", "body": ""}
    assert provider.asked[0]["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"


def test_a_refresh_token_that_is_replaced_each_time_is_followed(world, provider, sheet_for):
    written = provider.refresh_token("public")
    client = world(sheet_for({"R": written}, client_id="public", client_secret=None, refresh_token="${R}"))
    for _ in range(3):
        assert client.do("call", "me")["client"] == "public"
        provider.revoke()
    sent = [form["refresh_token"] for form in provider.asked]
    assert sent[0] == written
    assert len(set(sent)) == 3


def test_a_refresh_token_in_a_file_that_changes_is_the_one_to_use(world, provider, certificates, tmp_path):
    file = tmp_path / "refresh"
    file.write_text(provider.refresh_token("public") + "\n")
    options = {"client_id": "public", "refresh_token": "${file:refresh}"}
    sheet = sheet_of(provider, certificates, options, folder=tmp_path)
    client = world(sheet)
    client.do("call", "me")
    file.write_text(f"{provider.refresh_token('public')}\n\n")
    sheet.services["shop"].settings().auth.options["refresh_token"]._parts[0]._looked = -9.0
    provider.revoke()
    client.do("call", "me")
    assert provider.asked[1]["refresh_token"] == file.read_text().strip()


def test_a_401_brings_one_new_token_and_one_more_attempt_for_a_post_too(world, provider, sheet_for):
    client = world(sheet_for())
    client.do("call", "me")
    provider.revoke()
    assert client.do("post", "/me", json={"a": 1}).json()["body"] == '{"a":1}'
    assert len(provider.asked) == 2
    assert len(provider.seen) == 3


def test_a_401_that_stays_is_the_outcome(world, provider, sheet_for):
    client = world(sheet_for())
    provider.revoke()
    original, provider.given = provider.given, []

    class Nothing(list):
        def append(self, given):
            original.append(given)

    provider.given = Nothing()
    for attempts in (2, 1, 1):
        with pytest.raises(Unauthorized) as caught:
            client.do("call", "me")
        assert caught.value.attempts == attempts
    assert len(provider.asked) == 2, "after a new token was refused, too, none is fetched for a while"


def test_a_body_that_cannot_be_sent_twice_is_not(world, provider, sheet_for):
    client = world(sheet_for())
    client.do("call", "me")
    provider.revoke()
    with pytest.raises(Unauthorized) as caught:
        client.do("post", "/me", content=iter([b"a", b"b"]))
    assert caught.value.stopped_by == "body"
    assert len(provider.seen) == 2
    assert client.do("call", "me")["client"] == "shop"


def test_a_rule_may_say_that_a_token_is_over(world, provider, certificates):
    """`then: refresh_token`, for services that say so in a 200."""
    errors = [{"when": {"status": 200, "path": "client", "equals": "shop"}, "then": "refresh_token"}]
    client = world(sheet_of(provider, certificates, CLIENT, errors=errors))
    with pytest.raises(Unauthorized):
        client.do("call", "me")
    assert len(provider.seen) == len(provider.asked) == 2


def test_a_header_that_the_caller_gave_asks_for_no_token(world, provider, sheet_for):
    client = world(sheet_for())
    with pytest.raises(Unauthorized) as caught:
        client.do("get", "/me", headers={"Authorization": "Bearer mine"})
    assert caught.value.attempts == 1
    assert provider.asked == []


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        ({"client_secret": "wrong-secret"}, "invalid_client", "it answered 401 invalid_client"),
        (
            {"client_secret": None, "client_id": "public", "refresh_token": "no-such-token"},
            "invalid_grant",
            "it answered 400 invalid_grant",
        ),
    ],
)
def test_the_providers_error_is_an_auth_error_with_its_code(world, provider, sheet_for, options, code, told, caplog):
    events = []
    client = world(sheet_for(**options), listeners=(events.append,))
    with pytest.raises(AuthError, match=told) as caught:
        client.do("call", "me")
    error = caught.value
    assert (error.code, error.was_sent, error.attempts) == (code, False, 0)
    assert provider.token_url in str(error)
    assert provider.seen == []
    assert [event.error is None for event in events if isinstance(event, TokenFetched)] == [False]
    with pytest.raises(AuthError):
        client.do("call", "me")
    assert len(provider.asked) == 1, "who was refused a moment ago is not asked again"
    shown = caplog.text + str(error) + repr(events)
    assert not [secret for secret in ("wrong-secret", "no-such-token") if secret in shown]


def test_a_provider_that_repeats_a_secret_is_masked(world, provider, sheet_for):
    provider.before_answer = lambda form: (
        {"error": f"bad {SECRET}", "error_description": f"you said {SECRET}\nand \x1b[31m"},
        400,
    )
    with pytest.raises(AuthError) as caught:
        world(sheet_for()).do("call", "me")
    assert SECRET not in str(caught.value) + str(caught.value.code)
    assert str(caught.value).endswith("it answered 400 bad ***: you said *** and [31m")


def test_a_redirect_of_the_token_endpoint_is_not_followed(world, provider, sheet_for, echo_server):
    provider.before_answer = lambda form: ("", 307, {"Location": f"{echo_server.url}/token"})
    with pytest.raises(AuthError, match="307, a redirect, which is not followed"):
        world(sheet_for()).do("call", "me")
    assert echo_server.requests == []


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("<html>", "it answered 200 without a token"),
        ('{"access_token": ""}', "no header may hold"),
        ('{"access_token": "a\\r\\nb"}', "no header may hold"),
        ('{"access_token": 7}', "it answered 200 without a token"),
        ('{"access_token": "t", "token_type": "mac"}', "none of type Bearer"),
        ("[]", "it answered 200 without a token"),
        ('{"error": "slow_down", "access_token": "t"}', "it answered 200 slow_down"),
    ],
)
def test_an_answer_that_is_no_token(world, provider, sheet_for, answer, told):
    provider.before_answer = lambda form: (answer, 200, {"Content-Type": "application/json"})
    with pytest.raises(AuthError, match=told) as caught:
        world(sheet_for()).do("call", "me")
    assert len(str(caught.value)) < 400


def test_the_service_trusts_whom_it_says_and_the_endpoint_whom_it_says(world, provider, certificates, echo_server):
    """Another origin than the token endpoint's: the service's `tls` is not for that."""
    apart = {"base_url": echo_server.url, "tls": {}}
    client = world(sheet_of(provider, certificates, CLIENT, **apart))
    with pytest.raises(AuthError, match="TLSError"):
        client.do("get", "/x")
    trusted = {**CLIENT, "tls": {"ca": str(certificates.ca_file)}}
    client = world(sheet_of(provider, certificates, trusted, **apart))
    sent = client.do("get", "/x").json()["headers"]["Authorization"]
    assert sent == f"Bearer {provider.given[-1].access}"


def test_a_client_proves_itself_by_its_certificate_at_the_token_endpoint_alone(world, certificates):
    granted = answer(
        headers={"Content-Type": "application/json"}, body=b'{"access_token": "t", "token_type": "Bearer"}'
    )
    tls = {"ca": str(certificates.ca_file)}
    presented = {"cert": str(certificates.client_cert_file), "key": str(certificates.client_key_file)}
    endpoint, service = (ScriptedServer(granted, tls=optional_client(certificates)) for _ in range(2))
    with endpoint, service:
        oauth2 = {"client_auth": "tls", "client_id": "shop", "scopes": "a", "tls": {**tls, **presented}}
        oauth2["token_url"] = f"{endpoint.url}/token"
        client = world(Sheet(services={"shop": {"base_url": service.url, "tls": tls, "auth": {"oauth2": oauth2}}}))
        client.do("get", "/x")
        (asked,), (called,) = endpoint.requests, service.requests
    assert asked.body == b"grant_type=client_credentials&scope=a&client_id=shop"
    assert asked.header("Authorization") is None
    assert called.header("Authorization") == "Bearer t"
    assert [bool(each) for each in (*endpoint.ledger.clients, *service.ledger.clients)] == [True, False]


def test_a_stampede_makes_one_exchange_and_the_impatient_first_caller_harms_nobody(provider, certificates):
    """200 first calls at once, one slot, and the first caller gives up after 50 ms."""
    first = threading.Event()
    enough = threading.Event()

    def hold(form):
        first.set()
        enough.wait(10)

    provider.before_answer = hold
    with (
        world_of_threads(sheet_of(provider, certificates, CLIENT, concurrency=1)) as client,
        ThreadPoolExecutor(200) as pool,
    ):
        impatient = pool.submit(client.do, "get", "/me", timeout=0.05)
        assert first.wait(5)
        others = [pool.submit(client.do, "get", "/me") for _ in range(199)]
        with pytest.raises(DeadlinePassed, match="a token from"):
            impatient.result()
        enough.set()
        assert {each.result().json()["client"] for each in others} == {"shop"}
    assert len(provider.asked) == 1
    assert provider.most_at_once == 1


def test_a_stampede_of_tasks(provider, certificates):
    enough = threading.Event()
    provider.before_answer = lambda form: enough.wait(10) and None

    async def main():
        sheet = sheet_of(provider, certificates, CLIENT, concurrency=1)
        async with AsyncClient(sheet) as client:
            shop = client.service("shop")
            impatient = asyncio.create_task(shop.get("/me", timeout=0.05))
            await asyncio.sleep(0)
            cancelled = asyncio.create_task(shop.get("/me"))
            others = [asyncio.create_task(shop.get("/me")) for _ in range(198)]
            with pytest.raises(DeadlinePassed, match="a token from"):
                await impatient
            cancelled.cancel()
            enough.set()
            answers = await asyncio.gather(*others)
            assert {answer.json()["client"] for answer in answers} == {"shop"}
            with pytest.raises(asyncio.CancelledError):
                await cancelled

    asyncio.run(main())
    assert len(provider.asked) == 1


def test_a_rotated_refresh_token_is_kept_though_the_caller_that_asked_was_gone(world, provider, sheet_for):
    asked, enough = threading.Event(), threading.Event()

    def hold(form):
        asked.set()
        enough.wait(10)

    written = provider.refresh_token("public")
    client = world(sheet_for({"R": written}, client_id="public", client_secret=None, refresh_token="${R}"))
    provider.before_answer = hold
    with pytest.raises(DeadlinePassed):
        client.do("call", "me", timeout=0.05)
    assert asked.wait(5)
    enough.set()
    assert client.do("call", "me")["client"] == "public"
    provider.revoke()
    assert client.do("call", "me")["client"] == "public"
    assert [form["refresh_token"] for form in provider.asked].count(written) == 1


def test_the_log_tells_of_a_fetch_that_failed(world, provider, sheet_for, caplog):
    provider.before_answer = lambda form: ("", 400)
    with caplog.at_level(logging.WARNING, "callsheet"), pytest.raises(AuthError):
        world(sheet_for()).do("call", "me")
    assert f"shop: no token from {provider.token_url}: it answered 400" in caplog.text


def test_a_client_that_is_closed_lets_go_of_who_waits_for_a_token(provider, certificates):
    asked, enough = threading.Event(), threading.Event()

    def hold(form):
        asked.set()
        enough.wait(10)

    provider.before_answer = hold
    client = Threads(sheet_of(provider, certificates, CLIENT))
    with ThreadPoolExecutor(3) as pool:
        calls = [pool.submit(client.do, "get", "/me") for _ in range(3)]
        assert asked.wait(5)
        client.close()
        for call in calls:
            with pytest.raises(UsageError, match="closed"):
                call.result(10)
        enough.set()


def test_and_so_do_tasks(provider, certificates):
    async def main():
        client = AsyncClient(sheet_of(provider, certificates, CLIENT))
        calls = [asyncio.create_task(client.service("shop").get("/me")) for _ in range(3)]
        await asyncio.sleep(0)
        await client.aclose()
        return await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), 10)

    assert [type(each) for each in asyncio.run(main())] == [UsageError] * 3


def world_of_threads(sheet):
    return closing(Threads(sheet))
