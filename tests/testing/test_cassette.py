"""Answers recorded from a real server, replayed without one, with no credential on disk."""

import base64
import gzip
import json
import stat
from urllib.parse import quote

import pytest

from callsheet import AsyncClient, Client, DecodeError, NoAnswer, Sheet, UsageError
from callsheet.testing import Cassette
from tests.loops import colours, new_runner
from tests.servers import ScriptedServer, answer, answer_json, answer_with, close, lose_answer, raw, then


def run_blocking(url, tape, work, **settings):
    with Client(base_url=url, transport=tape, retry="off", **settings) as client:
        return work(client.request, client)


def run_tasks(url, tape, work, loop="asyncio", **settings):
    with new_runner(loop) as runner:
        client = AsyncClient(base_url=url, transport=tape, retry="off", **settings)
        try:
            return work(lambda *arguments, **options: runner.run(client.request(*arguments, **options)), client)
        finally:
            runner.run(client.aclose())


COLOURS = pytest.mark.parametrize("run", colours(run_blocking, run_tasks))
GONE = "http://127.0.0.1:9"


@COLOURS
def test_what_was_recorded_is_replayed_without_a_server(run, tmp_path):
    path = tmp_path / "cassettes" / "users.json"

    def work(request, _):
        return [
            request("GET", "/users", params={"page": 2}).json(),
            request("POST", "/users", json={"name": "Ada"}).status_code,
            request("GET", "/gone", raise_for_status=False).text,
            request("GET", "/bytes").content,
        ]

    script = [
        answer_json([1, 2]),
        answer(201),
        answer(410, body="weg, für immer".encode()),
        answer(body=bytes(range(256))),
    ]
    with ScriptedServer(script) as server:
        recorded = run(server.url, Cassette(path, record="once"), work)
        assert run(server.url, Cassette(path, record="once"), work) == recorded
        assert len(server.requests) == 4
    assert recorded == [[1, 2], 201, "weg, für immer", bytes(range(256))]


@COLOURS
def test_an_error_of_the_way_is_recorded_too(run, tmp_path):
    path = tmp_path / "lost.json"

    def work(request, _):
        with pytest.raises(NoAnswer):
            request("POST", "/orders")

    with ScriptedServer([lose_answer()]) as server:
        run(server.url, Cassette(path, record="all"), work)
        run(server.url, Cassette(path), work)


def test_a_stream_is_recorded_as_it_is_read_and_replayed_as_one(tmp_path):
    path, whole = tmp_path / "stream.json", b"line\n" * 20_000
    with ScriptedServer([answer(body=whole)]) as server:
        for record in ("all", "none"):
            tape = Cassette(path, record=record)
            with Client(base_url=server.url, transport=tape) as client, client.stream("GET", "/export") as found:
                assert b"".join(found.iter_bytes()) == whole


def test_a_coded_answer_is_kept_so_that_it_can_be_read(tmp_path):
    path = tmp_path / "coded.json"
    coded = answer(
        headers={"Content-Encoding": "gzip", "Content-Type": "application/json"}, body=gzip.compress(b'{"a": 1}')
    )
    with ScriptedServer([coded]) as server:
        for record in ("all", "none"):
            with Client(base_url=server.url, transport=Cassette(path, record=record)) as client:
                assert client.get("/").json() == {"a": 1}
    assert json.loads(path.read_text())["interactions"][0]["answer"]["body"] == {"json": {"a": 1}}


def recorded(tmp_path, calls=1):
    path = tmp_path / "one.json"
    with ScriptedServer(answer_json({"id": 7})) as server:
        with Client(base_url=server.url, transport=Cassette(path, record="all")) as client:
            for _ in range(calls):
                client.post("/users?page=1", json={"name": "Ada"})
        return path, server.url


@pytest.mark.parametrize(
    ("method", "target", "options", "differs"),
    [
        ("POST", "/users?page=1", {"json": {"name": "Bob"}}, "differs in body"),
        ("POST", "/users?page=2", {"json": {"name": "Ada"}}, "differs in url"),
        ("PUT", "/users?page=1", {"json": {"name": "Ada"}}, "differs in method"),
        ("GET", "/else", {}, "differs in method, url, body"),
    ],
)
def test_what_was_not_recorded_is_an_error_that_names_the_nearest(tmp_path, method, target, options, differs):
    path, url = recorded(tmp_path)
    with (
        Client(base_url=url, transport=Cassette(path)) as client,
        pytest.raises(UsageError, match=rf"was not recorded; the nearest is POST .*/users\?page=1, which {differs}"),
    ):
        client.request(method, target, **options)


def test_each_interaction_is_replayed_once_unless_it_may_be_more_often(tmp_path):
    path, url = recorded(tmp_path)
    with Client(base_url=url, transport=Cassette(path)) as client:
        client.post("/users?page=1", json={"name": "Ada"})
        with pytest.raises(UsageError, match="was not recorded that often"):
            client.post("/users?page=1", json={"name": "Ada"})
    with Client(base_url=url, transport=Cassette(path, strict=False)) as client:
        assert [client.post("/users?page=1", json={"name": "Ada"}).json()["id"] for _ in range(3)] == [7] * 3


def test_what_was_recorded_and_not_asked_for_can_be_told(tmp_path):
    path, url = recorded(tmp_path, calls=2)
    tape = Cassette(path)
    with Client(base_url=url, transport=tape) as client:
        client.post("/users?page=1", json={"name": "Ada"})
    with pytest.raises(AssertionError, match=r"never asked for: POST .*/users\?page=1"):
        tape.assert_all_used()


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"callsheet_cassette": 99, "interactions": []}'])
def test_a_file_that_is_no_cassette_is_told(tmp_path, text):
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"x\.json: (not a cassette|a cassette of version 99)"):
        Cassette(path)
    with pytest.raises(UsageError, match="no such cassette; record it with record='once'"):
        Cassette(tmp_path / "y.json")
    with pytest.raises(UsageError, match="record is one of none, once and all"):
        Cassette(path, record="sometimes")


def test_the_file_is_its_owners_alone_and_written_whole(tmp_path):
    path, _ = recorded(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


CANARY = "canary-4711-secret"
PLACES = {
    "bearer": {"auth": {"bearer": CANARY}},
    "basic": {"auth": {"basic": {"username": "ada", "password": CANARY}}},
    "header key": {"auth": {"api_key": {"header": "X-Strange", "value": CANARY}}},
    "query key": {"auth": {"api_key": {"query": "k", "value": CANARY}}},
    "cookie": {"auth": {"api_key": {"cookie": "session", "value": CANARY}}},
}
CALLS = {
    "plain": ("GET", "/x", {}),
    "echo in a path": ("GET", f"/x/{CANARY}", {}),
    "query": ("GET", "/x", {"params": {"access_token": "other-canary-99", "page": 1}}),
    "json": ("POST", "/x", {"json": {"password": "other-canary-99", "deep": [{"client_secret": "other-canary-99"}]}}),
    "form": ("POST", "/x", {"data": {"password": "other-canary-99", "note": CANARY}}),
    "text": ("POST", "/x", {"content": f"the token is {CANARY}"}),
    "own header": ("GET", "/x", {"headers": {"X-Auth-Token": "other-canary-99"}}),
}


def echoes(request):
    """Everything that came in, in every way that a service might send it back."""
    body = {
        "headers": dict(request.headers),
        "target": request.target,
        "body": request.body.decode("latin-1"),
        "access_token": "other-canary-99",
        "coded": base64.b64encode(f"user:{CANARY}:x".encode()).decode(),
        "note": f"hello {CANARY}",
    }
    headers = [("Set-Cookie", "sid=other-canary-99"), ("X-Echo", f"got {CANARY}"), ("X-Api-Key", "other-canary-99")]
    return answer_json(body, headers=headers)


@COLOURS
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("call", CALLS)
def test_no_credential_is_ever_on_disk(run, tmp_path, place, call):
    path = tmp_path / "c.json"
    method, target, options = CALLS[call]
    with ScriptedServer(lambda _: answer_with(echoes)) as server:
        run(
            server.url,
            Cassette(path, record="all"),
            lambda request, _: request(method, target, **options),
            **PLACES[place],
        )
    text = path.read_text()
    assert "canary" not in text
    assert base64.b64encode(CANARY.encode()).decode().rstrip("=")[:-2] not in text


def test_another_token_replays_what_was_recorded(tmp_path):
    path = tmp_path / "t.json"
    with ScriptedServer(answer_json({"id": 1})) as server:
        services = {"shop": {"base_url": server.url, "auth": {"api_key": {"query": "key", "value": "${KEY}"}}}}
        for key, record in (("first-key-123", "all"), ("another-key-456", "none")):
            sheet = Sheet(services=services, variables={"KEY": key})
            with Client(sheet, transport=Cassette(path, record=record)) as client:
                assert client.get("/x").json() == {"id": 1}


LATER = "learned-canary-55"


def kept(tmp_path, script, calls, **settings):
    """What stands on the cassette after these calls."""
    path = tmp_path / "k.json"
    tape = Cassette(path, record="all")
    with (
        ScriptedServer(script) as server,
        Client(base_url=server.url, transport=tape, retry="off", **settings) as client,
    ):
        for method, target, options in calls:
            client.request(method, target, raise_for_status=False, **options)
    return path.read_text()


BASIC = base64.b64encode(f"ada:{LATER}".encode()).decode()
BACK = answer_json({"told": f"it was {LATER}"})
HIDDEN = {
    "a token that an answer told": (
        [answer_json({"access_token": LATER}), BACK],
        [("GET", "/a", {}), ("GET", f"/b/{LATER}", {})],
    ),
    "a location": ([answer(302, {"Location": f"/cb?access_token={LATER}&x=1"})], [("GET", "/a", {})]),
    "lines of JSON": ([answer(body=f'{{"id": 1}}\n{{"api_key": "{LATER}"}}\n'.encode())], [("GET", "/a", {})]),
    "events": ([answer(body=f'data: {{"secret": "{LATER}"}}\n\n'.encode())], [("GET", "/a", {})]),
    "a member name": (
        [answer_json({"access_token": LATER}), answer_json({LATER: 1, "by": {f"id-{LATER}": 2}})],
        [("GET", "/a", {})] * 2,
    ),
    "a member name of a request": ([BACK], [("POST", "/a", {"json": {"password": LATER, "by": {LATER: 1}}})]),
    "below a credential's name": ([BACK], [("POST", "/a", {"json": {"password": {"old": LATER, "new": [LATER]}}})]),
    "a list": ([BACK], [("POST", "/a", {"json": {"api_keys": [], "secret": ["x", LATER, [LATER]]}})]),
    "an answer's mapping": (
        [answer_json({"credentials": {"user": "ada", "value": LATER}}), BACK],
        [("GET", "/a", {})] * 2,
    ),
    "a mapping in lines of JSON": (
        [answer(body=f'{{"id": 1}}\r\n{{"secret": {{"a": "{LATER}"}}}}\r\n'.encode())],
        [("GET", "/a", {})],
    ),
    "a mapping in events": (
        [answer(body=f'event: a\ndata: {{"secret": ["{LATER}"]}}\n\n'.encode())],
        [("GET", "/a", {})],
    ),
    "a URL in a URL": (
        [answer(302, {"Location": f"/login?next={quote(f'/cb?access_token={LATER}&x=1', safe='')}&y=2"})],
        [("GET", "/a", {})],
    ),
    "a URL in a URL in a URL": (
        [
            answer(
                302, {"Location": f"/login?next={quote(quote(f'/cb?access_token={LATER}&x=1', safe=''), safe='')}&y=2"}
            )
        ],
        [("GET", "/a", {})],
    ),
    "a fragment": ([answer(302, {"Location": f"https://shop.test/cb#access_token={LATER}&x=1"})], [("GET", "/a", {})]),
    "a sentence": ([answer(body=f"login failed: password={LATER}".encode())], [("GET", "/a", {})]),
    "a list of tokens": ([answer_json({"tokens": [LATER]})], [("GET", "/a", {})]),
    "a coding that is none": (
        [answer(headers={"Content-Encoding": "UTF-8"}, body=f'{{"secret": "{LATER}"}}'.encode())],
        [("GET", "/a", {})],
    ),
    "a coding that is not known": (
        [answer(headers={"Content-Encoding": "zstd"}, body=b"\xff" + LATER.encode())],
        [("GET", "/a", {})],
    ),
    "a cookie told back": ([BACK], [("GET", "/a", {"headers": {"Cookie": f"sid={LATER}; a=b"}})]),
    "Basic by hand": ([BACK], [("GET", "/a", {"headers": {"Authorization": f"Basic {BASIC}"}})]),
    "a coding that cannot be undone": (
        [answer(headers={"Content-Encoding": "gzip"}, body=gzip.compress(LATER.encode())[:-6])],
        [("GET", "/a", {})],
    ),
}


@pytest.mark.parametrize("place", HIDDEN)
def test_what_is_learned_to_be_a_credential_is_on_no_disk_either(tmp_path, place):
    script, calls = HIDDEN[place]
    try:
        text = kept(tmp_path, script, calls)
    except DecodeError:
        text = (tmp_path / "k.json").read_text()
    assert LATER not in text
    assert base64.b64encode(LATER.encode()).decode().rstrip("=")[:-2] not in text


@COLOURS
def test_what_is_named_like_a_credential_and_is_no_text_is_masked(run, tmp_path):
    path = tmp_path / "n.json"
    body = {"password": {"old": 12345678, "new": [1.5, True, None]}, "told": 12345678, "access_token": 987654321}
    with ScriptedServer([answer_json(body)]) as server:
        for record in ("all", "none"):
            tape = Cassette(path, record=record)
            replayed = run(server.url, tape, lambda request, _: request("POST", "/", json={"secret": 7654321}).json())
    (interaction,) = json.loads(path.read_text())["interactions"]
    assert interaction["request"]["body"]["json"] == {"secret": "***"}
    assert interaction["answer"]["body"]["json"] == {
        "password": {"old": "***", "new": ["***", True, None]}, "told": "***", "access_token": "***"
    }  # fmt: skip
    assert replayed == {"password": {"old": "***", "new": ["***", True, None]}, "told": "***", "access_token": "***"}


def test_members_whose_names_are_masked_are_all_kept(tmp_path):
    script = [answer_json({"by": {"first-canary-1": 1, "second-canary-2": 2}})]
    calls = [("POST", "/", {"json": {"token": "first-canary-1", "api_key": "second-canary-2"}})]
    (interaction,) = json.loads(kept(tmp_path, script, calls))["interactions"]
    assert sorted(interaction["answer"]["body"]["json"]["by"].values()) == [1, 2]


HARMLESS = {
    "token_count": 12, "session_timeout": 30, "password_policy": "strong", "secret-version": 3, "cookie_expires_at": "2026",
    "prompt_tokens_details": {"cached_tokens": 7}, "signature_algorithm": "rsa", "auth_type": "none", "tokens": [1, 2],
}  # fmt: skip


def test_what_only_sounds_like_a_credential_stays(tmp_path):
    fields = {
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Allow-Headers": "Authorization",
        "X-Token-Type": "a",
    }
    text = kept(
        tmp_path,
        [answer_json(HARMLESS, headers=[*fields.items()])],
        [("GET", "/a?token_type=b&next=%2Fx%3Fy%3D1&z", {})],
    )
    (interaction,) = json.loads(text)["interactions"]
    assert interaction["answer"]["body"]["json"] == HARMLESS
    assert fields.items() <= dict(interaction["answer"]["headers"]).items()
    assert interaction["request"]["url"].endswith("/a?token_type=b&next=%2Fx%3Fy%3D1&z")


def test_a_body_in_a_coding_that_is_none_is_replayed_as_it_came(tmp_path):
    path = tmp_path / "k.json"
    with ScriptedServer(answer(headers={"Content-Encoding": "none"}, body=b'{"a": 1}')) as server:
        for record in ("all", "none"):
            with Client(base_url=server.url, transport=Cassette(path, record=record)) as client:
                answered = client.get("/a")
                assert json.loads(answered.content) == {"a": 1}
                with pytest.raises(DecodeError, match="content coding 'none'"):
                    answered.json()
        assert len(server.requests) == 1


def test_tokens_that_open_nothing_and_counts_stay(tmp_path):
    body = {"next_page_token": "page-two-is-here", "total_tokens": 12, "token_type": "Bearer"}
    assert (
        json.loads(kept(tmp_path, [answer_json(body)], [("GET", "/", {})]))["interactions"][0]["answer"]["body"]["json"]
        == body
    )


def test_a_password_that_is_a_word_of_the_format_breaks_nothing(tmp_path):
    calls = [("POST", "/", {"json": {"password": "interactions"}})]
    assert json.loads(kept(tmp_path, [answer()], calls))["interactions"][0]["request"]["body"] == {
        "json": {"password": "***"}
    }


def test_a_path_with_a_learned_token_is_found_again(tmp_path):
    script = [answer_json({"reset_token": LATER}), answer_json(7)]
    kept(tmp_path, script, [("POST", "/start", {}), ("GET", f"/reset/{LATER}", {})])
    tape = Cassette(tmp_path / "k.json")
    with (
        Client(base_url="http://127.0.0.1:9", transport=tape) as client,
        pytest.raises(UsageError, match="not recorded"),
    ):
        client.get("/reset/x")
    with ScriptedServer(script) as server:
        path = tmp_path / "again.json"
        for record in ("all", "none"):
            with Client(base_url=server.url, transport=Cassette(path, record=record)) as client:
                client.post("/start")
                assert client.get(f"/reset/{LATER if record == 'all' else 'another-token-1'}").json() == 7


def test_a_multipart_body_is_found_again_whatever_its_boundary(tmp_path):
    with ScriptedServer(answer_json(1)) as server:
        for record in ("all", "none"):
            with Client(base_url=server.url, transport=Cassette(tmp_path / "m.json", record=record)) as client:
                assert client.post("/files", files={"f": ("a.txt", b"hello")}).json() == 1


def test_a_stream_that_broke_off_breaks_off_again(tmp_path):
    cut = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + bytes(300))
    with ScriptedServer([then(cut, close())]) as server:
        for record in ("all", "none"):
            tape = Cassette(tmp_path / "s.json", record=record)
            with Client(base_url=server.url, transport=tape) as client:
                found = client.stream("GET", "/x")
                with found, pytest.raises(NoAnswer):
                    b"".join(found.iter_bytes())


@pytest.mark.parametrize(
    "interaction",
    [
        "7",
        "{}",
        '{"request": {}}',
        '{"request": {"method": "GET", "url": "/"}}',
        '{"request": {"method": "GET", "url": "/"}, "answer": {}}',
    ],
)
def test_an_interaction_of_another_shape_is_told(tmp_path, interaction):
    path = tmp_path / "x.json"
    path.write_text(f'{{"callsheet_cassette": 1, "interactions": [{interaction}]}}')
    with pytest.raises(UsageError, match=r"x\.json: not a cassette"):
        Cassette(path)


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with ScriptedServer(answer()) as server:
        client = Client(base_url=server.url, transport=Cassette(tmp_path / "file" / "c.json", record="all"))
        client.get("/")
        with pytest.raises(UsageError, match="the cassette cannot be written"):
            client.close()
