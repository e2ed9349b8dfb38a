"""Where secrets come from: variables, mounted files, functions; and how they change without a restart."""

import logging
import os
import traceback

import pytest

from callsheet import AuthError, Secret, Sheet, SheetError
from callsheet.secret import MountedFile
from tests.auth.keys import pair
from tests.auth.worlds import Tasks, Threads
from tests.loops import colours
from tests.servers import ScriptedServer, answer


@pytest.fixture
def server():
    with ScriptedServer(lambda _number: answer(200)) as server:
        yield server


@pytest.fixture(params=colours(Threads, Tasks))
def shop(request, server):
    """A client of the server under these settings, by a clock that a test moves."""
    opened = []

    def opening(clock=lambda: 0.0, variables=None, **settings):
        service = {"base_url": server.url, "retry": "off", "operations": {"op": {"get": "/x"}}, **settings}
        sheet = Sheet(services={"shop": service}, variables=variables or {}, clock=clock)
        opened.append(request.param(sheet))
        return opened[-1]

    yield opening
    for each in opened:
        each.close()


def sent(server, name="authorization"):
    """The values of a header field, request by request."""
    lines = (line.partition(": ") for each in server.requests for line in each.head.decode().split("\r\n"))
    return [value for field, _, value in lines if field.lower() == name]


class Ticks:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


CALLS = {"declared": ("call", "op"), "undeclared": ("get", "/x")}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_mounted_file_that_changes_is_sent_by_the_next_call(shop, server, tmp_path, call):
    path, clock = tmp_path / "token", Ticks()
    path.write_text("first\n")
    client = shop(clock, auth={"bearer": f"${{file:{path}}}"})
    client.do(*call)
    path.write_text("second-and-longer\r\n")
    client.do(*call)
    clock.now += 1.0
    client.do(*call)
    assert sent(server) == ["Bearer first", "Bearer first", "Bearer second-and-longer"]


@pytest.mark.parametrize("broken", [None, b"", b"\n", b"\xff\xfe"], ids=["missing", "empty", "a line break", "no text"])
def test_while_it_cannot_be_used_the_last_good_text_serves(shop, server, tmp_path, caplog, broken):
    path, clock = tmp_path / "token", Ticks()
    path.write_text("first")
    client = shop(clock, auth={"api_key": {"query": "k", "value": f"${{file:{path}}}"}})
    for _ in range(3):
        clock.now += 1.0
        client.do("call", "op")
        if broken is None:
            path.unlink(missing_ok=True)
        else:
            path.write_bytes(broken)
    clock.now += 1.0
    path.write_text("second")
    client.do("call", "op")
    assert [each.target for each in server.requests] == ["/x?k=first"] * 3 + ["/x?k=second"]
    assert [record.getMessage() for record in caplog.records if "stays in use" in record.getMessage()] == [
        f"{path}: {problem_of(broken)}; the secret that it held before stays in use"
    ]


def problem_of(broken):
    if broken is None:
        return "No such file or directory"
    return "not UTF-8 text" if broken and broken != b"\n" else "it is empty"


def test_a_file_that_is_written_while_it_is_read_is_looked_at_again(tmp_path):
    """As `open(path, "w")` leaves it between two writes."""
    path, clock = tmp_path / "token", Ticks()
    path.write_text("first")
    mounted = MountedFile(path, clock)
    assert mounted.read() == "first"
    with path.open("w") as file:
        clock.now += 1.0
        assert mounted.read() == "first"
        file.write("second")
    clock.now += 1.0
    assert mounted.read() == "second"


@pytest.mark.parametrize("text", ["new\nline", "nul\0byte", "bell\x07", "del\x7f", "tab\tbed"])
@pytest.mark.parametrize(
    "auth",
    [
        lambda value: {"bearer": value},
        lambda value: {"basic": {"username": "ada", "password": value}},
        lambda value: {"api_key": {"header": "X-Key", "value": value}},
        lambda value: {"api_key": {"query": "k", "value": value}},
        lambda value: {"api_key": {"cookie": "k", "value": value}},
    ],
)
def test_a_control_character_is_refused_before_anything_is_sent(shop, server, tmp_path, auth, text):
    path, clock = tmp_path / "token", Ticks()
    path.write_text("first")
    with pytest.raises(SheetError, match=r"within the secret"):
        shop(variables={"T": text}, auth=auth("${T}"))
    client = shop(clock, auth=auth(f"${{file:{path}}}"))
    path.write_text(text)
    clock.now += 1.0
    asked = shop(auth=auth(lambda: text))
    for each in (client, asked):
        with pytest.raises(
            AuthError, match=r"shop\.op: GET /x: the secret that .* holds has a control character"
        ) as caught:
            each.do("call", "op")
        assert not caught.value.was_sent
        assert text.splitlines()[0] not in str(caught.value)
    assert not server.requests


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
def test_a_line_break_at_the_end_of_a_variable_is_cut_off_and_told(shop, server, end):
    client = shop(variables={"T": f"token-1{end}"}, auth={"bearer": "${T}"}, headers={"X-Key": "Key ${T}"})
    client.do("call", "op")
    assert sent(server) == ["Bearer token-1"]
    assert sent(server, "x-key") == ["Key token-1"]
    told = [str(warning) for warning in client.client.sheet.warnings]
    assert len(told) == 2
    assert all("what `${T}` holds ends in a line break, which is cut off" in each for each in told)
    assert any(each.startswith("services.shop.auth.bearer") for each in told)
    assert "token-1" not in "".join(told)


def test_a_key_in_pem_keeps_its_lines():
    sheet = Sheet(
        services={"s": {"base_url": "https://h", "auth": {"jwt": {"key": "${K}", "algorithm": "EdDSA"}}}},
        variables={"K": pair("EdDSA")[0]},
    )
    assert sheet.warnings == ()


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (lambda ask: {"auth": {"bearer": ask}}, ["Bearer t1", "Bearer t2"]),
        (lambda ask: {"headers": {"Authorization": ask}}, ["t1", "t2"]),
        (lambda ask: {"headers": {"Authorization": Secret("Token ", ask)}}, ["Token t1", "Token t2"]),
        (
            lambda ask: {"auth": {"basic": {"username": "ada", "password": ask}}},
            ["Basic YWRhOnQx", "Basic YWRhOnQy"],
        ),
    ],
    ids=["bearer", "header", "secret in parts", "basic"],
)
def test_a_function_is_asked_anew_each_time(shop, server, settings, expected, call):
    texts = iter(["t1", "t2"])
    client = shop(**settings(lambda: next(texts)))
    client.do(*call)
    client.do(*call)
    assert sent(server) == expected


def test_a_function_is_asked_for_a_parameter_once_per_call(shop, server):
    texts = iter(["t1", "t2"])
    client = shop(params={"k": lambda: next(texts)})
    client.do("call", "op")
    client.do("get", "/x")
    assert [each.target for each in server.requests] == ["/x?k=t1", "/x?k=t2"]


def test_it_is_asked_for_each_attempt():
    texts = iter(["t1", "t2"])
    with ScriptedServer([answer(503)]) as server:
        backoff = {"first": "1ms", "max": "1ms"}
        sheet = Sheet(
            services={
                "shop": {
                    "base_url": server.url,
                    "auth": {"bearer": lambda: next(texts)},
                    "retry": {"attempts": 2, "backoff": backoff},
                }
            }
        )
        client = Threads(sheet)
        assert client.do("get", "/x").attempts == 2
        client.close()
        assert sent(server) == ["Bearer t1", "Bearer t2"]


def test_it_is_never_asked_before_a_call(shop):
    asked = []
    client = shop(auth={"bearer": lambda: asked.append(1) or "t"}, params={"k": lambda: asked.append(1) or "t"})
    client.do("explain", "op") if isinstance(client, Threads) else client.service.explain("op")
    assert not asked


def raises():
    try:
        raise KeyError("canary-1")
    except KeyError as error:
        raise ValueError("canary-2") from error


def shows(error):
    told = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    return [line for line in told.split("\n") if "canary" in line]


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (raises, r"`tests\.secrets\.test_sources\.raises` raised ValueError \(test_sources\.py:\d+\)"),
        (lambda: None, "gave NoneType, and text was expected"),
        (lambda: b"canary-1", "gave bytes, and text was expected"),
        (lambda: "", "gave an empty text"),
        (lambda: "\n", "gave an empty text"),
        (lambda: "canary-1 ", "begins or ends with white space"),
        (lambda: "canary-1 \u20ac", "outside Latin-1"),
    ],
)
def test_what_it_fails_with_is_an_auth_error_that_shows_nothing(shop, server, ask, told):
    client = shop(auth={"api_key": {"header": "X-Key", "value": ask}})
    with pytest.raises(AuthError, match=told) as caught:
        client.do("call", "op")
    error = caught.value
    assert (error.was_sent, error.stopped_by, error.service, error.operation) == (False, "auth", "shop", "op")
    assert (error.__cause__, error.__context__) == (None, None)
    assert shows(error) == []
    assert not server.requests


def test_a_line_break_at_the_end_of_what_it_gives_is_cut_off_and_told_once(shop, server, caplog):
    client = shop(auth={"bearer": lambda: "token-1\n"})
    with caplog.at_level(logging.WARNING):
        client.do("call", "op")
        client.do("call", "op")
    assert sent(server) == ["Bearer token-1"] * 2
    told = [record.getMessage() for record in caplog.records]
    assert [each for each in told if "ends in a line break, which was cut off" in each] == told[:1]
    assert "token-1" not in caplog.text


async def later():
    return "t"


class Later:
    async def __call__(self):
        return "t"


def pieces():
    yield "t"


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (later, "an async function"),
        (Later(), "an async function"),
        (pieces, "a generator"),
        (lambda name: name, "a function that needs arguments"),
    ],
)
@pytest.mark.parametrize("settings", [lambda ask: {"auth": {"bearer": ask}}, lambda ask: {"headers": {"X-Key": ask}}])
def test_what_cannot_be_asked_is_refused_when_the_client_is_built(shop, ask, told, settings):
    with pytest.raises(SheetError, match=rf"services\.shop\..*{told}.*\n?.*") as caught:
        shop(**settings(ask))
    assert "give a plain function of no arguments that returns a text" in str(caught.value)


def test_settings_in_code_take_a_function_too(shop, server):
    client = shop()
    service = client.client.service("shop", auth={"bearer": lambda: "token-1"})
    client.service = service
    client.do("get", "/x")
    assert sent(server) == ["Bearer token-1"]


def test_a_token_that_was_sent_is_masked_after_it_changed(shop, server):
    """A function may give another one meanwhile: what this request carried is what its errors mask."""
    texts = iter(["canary-first", "canary-second"])
    client = shop(auth={"bearer": lambda: next(texts)})
    first = client.do("get", "/x")
    client.do("get", "/x")
    assert first.masked("it says canary-first") == "it says ***"


def test_a_function_may_give_the_key_of_a_jwt(shop, server):
    keys = ["k" * 40]

    client = shop(auth={"jwt": {"secret": lambda: keys[-1]}})
    client.do("call", "op")
    client.do("call", "op")
    keys.append("z" * 40)
    client.do("call", "op")
    first, second, third = sent(server)
    assert first == second != third
    with pytest.raises(AuthError, match="no JWT can be made, for the key cannot be used"):
        shop(auth={"jwt": {"secret": raises}}).do("call", "op")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are POSIX")
def test_what_only_looks_like_a_file_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(b"x" * (1024 * 1024 + 1))
    for name, told in (("pipe", "no regular file"), ("large", "larger than 1 MiB")):
        with pytest.raises(SheetError, match=told):
            Sheet(services={"s": {"base_url": "https://h", "auth": {"bearer": f"${{file:{tmp_path / name}}}"}}})


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are POSIX")
def test_a_pipe_in_the_place_of_a_mounted_file_leaves_the_last_text_in_use(tmp_path):
    clock = [0.0]
    path = tmp_path / "secret"
    path.write_text("token-1")
    mounted = MountedFile(path, lambda: clock[0])
    assert mounted.read() == "token-1"
    path.unlink()
    os.mkfifo(path)
    clock[0] += 2
    assert mounted.read() == "token-1"
