"""Where AWS credentials come from: botocore's chain, asked by a thread, and again before they expire."""

import asyncio
import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from callsheet.engine.io import ThreadTicket
from callsheet.errors import AuthError, DeadlinePassed, ServerError
from tests.kept import kept
from tests.servers import ScriptedServer, answer, answer_json, answer_with, silence
from tests.signing.sheets import sheet_of

DEFAULT = {"aws": {"service": "execute-api", "region": "eu-central-1"}}
PROFILE = {"aws": {**DEFAULT["aws"], "credentials": {"profile": "audit"}}}


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine on which no AWS tool has ever run; its shared files are where it says."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    return tmp_path


def key_in(call):
    return call.headers["Authorization"].partition("Credential=")[2].partition("/")[0]


def test_from_the_environment(shop, machine, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDENV")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-canary")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token-canary")
    client = shop(DEFAULT)
    client.do("get", "/x")
    (call,) = client.fake.calls
    assert key_in(call) == "AKIDENV"
    assert call.headers["X-Amz-Security-Token"] == "token-canary"
    assert call.headers["X-Amz-Date"] == "20260301T120000Z"


def test_from_a_profile_of_the_shared_files(shop, machine):
    lines = ["[default]", "aws_access_key_id = AKIDDEFAULT", "aws_secret_access_key = a"]
    lines += ["[audit]", "aws_access_key_id = AKIDAUDIT", "aws_secret_access_key = b"]
    (machine / "credentials").write_text("\n".join(lines))
    for sign, expected in ((DEFAULT, "AKIDDEFAULT"), (PROFILE, "AKIDAUDIT")):
        client = shop(sign)
        client.do("get", "/x")
        assert key_in(client.fake.calls[0]) == expected


def test_where_there_are_none_nothing_is_sent(shop, machine):
    client = shop(DEFAULT)
    with pytest.raises(AuthError, match="no AWS credentials were found: looked in the environment") as caught:
        client.do("get", "/x")
    assert caught.value.stopped_by == "sign"
    assert not caught.value.was_sent
    assert client.fake.calls == []


def test_and_a_later_call_looks_again(shop, machine, monkeypatch):
    client = shop(PROFILE)
    with pytest.raises(AuthError, match=r"for the profile 'audit' could not be had \(ProfileNotFound\)"):
        client.do("get", "/x")
    (machine / "credentials").write_text("[audit]\naws_access_key_id = AKIDLATE\naws_secret_access_key = b\n")
    client.do("get", "/x")
    assert key_in(client.fake.calls[0]) == "AKIDLATE"


def test_what_a_credential_process_says_is_not_told(shop, machine):
    command = "sh -c 'echo canary-7f3a9c51 >&2; exit 1'"
    (machine / "config").write_text(f"[default]\ncredential_process = {command}\n")
    with pytest.raises(AuthError, match="CredentialRetrievalError") as caught:
        shop(DEFAULT).do("get", "/x")
    assert "canary" not in str(caught.value)


class Container:
    """The credentials endpoint of a container (ECS, EKS), whose credentials live so many seconds."""

    def __init__(self, *lives):
        self.lives = list(lives)
        self.given = 0

    def __call__(self, request):
        self.given += 1
        expires = datetime.now(UTC) + timedelta(seconds=self.lives[min(self.given, len(self.lives)) - 1])
        told = {"AccessKeyId": f"AKID{self.given}", "SecretAccessKey": "s", "Token": "t"}
        return answer_json({**told, "Expiration": expires.strftime("%Y-%m-%dT%H:%M:%SZ")})


@pytest.fixture
def container(machine, monkeypatch):
    opened = []

    def start(script):
        server = ScriptedServer(answer_with(script) if callable(script) else script)
        opened.append(server)
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", server.url)
        return server

    yield start
    for server in opened:
        server.close()


@pytest.fixture
def service():
    with ScriptedServer() as server:
        yield server


def keys_at(server):
    fields = [request.header("Authorization") or "" for request in server.requests]
    return [field.partition("Credential=")[2].partition("/")[0] for field in fields]


def test_fresh_credentials_are_fetched_once(world, container, service):
    offered = container(Container(3600))
    client = world(sheet_of(DEFAULT, service.url))
    for _ in range(3):
        client.do("get", "/x")
    assert keys_at(service) == ["AKID1"] * 3
    assert len(offered.requests) == 1


def test_those_near_their_end_serve_while_others_are_fetched(world, container, service):
    # botocore fetches twice at first if what it gets has less than a quarter of an hour to live.
    endpoint = Container(13 * 60, 13 * 60, 3600)
    container(endpoint)
    client = world(sheet_of(DEFAULT, service.url))
    client.do("get", "/x")
    client.do("get", "/x")
    # Others are fetched beside the second call, which takes whichever are there when it is signed.
    assert keys_at(service)[0] == "AKID2"
    assert keys_at(service)[1] in ("AKID2", "AKID3")
    plans = client.service._maker.plans
    ticket = ThreadTicket()
    if kept(plans.scope, "sign").credentials._work.awaited(lambda: ticket) is not None:
        assert ticket.wait(5)
    client.do("get", "/x")
    client.do("get", "/x")
    assert keys_at(service)[2:] == ["AKID3", "AKID3"]
    assert endpoint.given == 3


def test_those_that_expire_soon_are_waited_for(world, container, service):
    endpoint = Container(5 * 60)
    container(endpoint)
    client = world(sheet_of(DEFAULT, service.url))
    client.do("get", "/x")
    client.do("get", "/x")
    assert keys_at(service) == ["AKID2", "AKID3"]


def test_many_calls_at_once_fetch_once(container, service):
    from tests.auth.worlds import Threads

    endpoint = Container(3600)
    container(endpoint)
    client = Threads(sheet_of(DEFAULT, service.url))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: client.do("get", "/x"), range(16)))
    client.close()
    assert endpoint.given == 1
    assert set(keys_at(service)) == {"AKID1"}


def test_no_event_loop_stands_still_for_them(container, service):
    from tests.auth.worlds import Tasks

    is_reached = threading.Event()
    endpoint = Container(3600)

    def after_the_other_call(request):
        return endpoint(request) if is_reached.wait(10) else answer(500)

    container(after_the_other_call)
    client = Tasks(sheet_of(DEFAULT, service.url))

    async def both():
        signed = asyncio.create_task(client.service.get("/x"))
        await asyncio.sleep(0)
        await client.service.call("plain")
        is_reached.set()
        return await signed

    assert client.runner.run(both()).status_code == 200
    client.close()
    assert keys_at(service) == ["", "AKID1"]


def test_a_call_waits_no_longer_than_its_deadline(world, container, service):
    container(silence())
    client = world(sheet_of(DEFAULT, service.url))
    with pytest.raises(DeadlinePassed, match="waiting for AWS credentials"):
        client.do("get", "/x", timeout=0.2)
    assert service.requests == []


def test_the_outcome_stays_when_a_further_attempt_has_no_credentials(world, machine):
    told = machine / "told.json"
    soon = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    told.write_text(json.dumps({"Version": 1, "AccessKeyId": "AKID", "SecretAccessKey": "s", "Expiration": soon}))
    (machine / "config").write_text(f"[default]\ncredential_process = cat {told}\n")

    def fail(request):
        told.unlink()
        return answer(503)

    with ScriptedServer(answer_with(fail)) as server:
        client = world(sheet_of(DEFAULT, server.url, retry={"backoff": {"first": "1ms", "max": "1ms"}}))
        with pytest.raises(ServerError) as caught:
            client.do("get", "/x")
        assert len(server.requests) == 1
    assert caught.value.stopped_by == "sign"


def test_a_forked_child_looks_for_itself(machine, monkeypatch):
    from callsheet.auth.aws_credentials import CredentialChain

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDENV")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-canary")
    chain = CredentialChain(None, wall_clock=lambda: 0.0)
    chain._search()
    assert chain.now().access_key == "AKIDENV"
    chain.forget()
    with pytest.raises(AuthError):
        chain.now()
