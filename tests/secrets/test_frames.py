"""Tracebacks show where, and no local variables of ours; those of the caller's own functions stay."""

import threading
import traceback
from concurrent.futures import ThreadPoolExecutor

import pytest

from callsheet import APIError, AsyncClient, AuthError, Client, NotSent, Sheet, SheetError, UsageError
from callsheet.auth import request as request_to
from callsheet.bare_frames import bare
from tests.loops import COLOURS, run
from tests.secrets.seen import Hidden, Seen
from tests.servers import RefusedPort, ScriptedServer, answer, response, then
from tests.servers.actions import close, raw

CANARY = "canary-7f3a9c51"


def leaks_of(work, kind=APIError):
    seen = Seen()
    with pytest.raises(kind) as caught:
        work()
    seen.error(caught.value)
    return seen.leaks((CANARY,)), caught.value


def lines_of(error):
    return [frame.name for frame in traceback.extract_tb(error.__traceback__)]


def test_files_and_lines_stay():
    with RefusedPort() as server, Client(base_url=server.url, retry="off") as client:
        _, error = leaks_of(lambda: client.get("/x"))
    names = lines_of(error)
    assert {"get", "finish", "perform", "final_answer", "send"} <= set(names)
    frames = [at.tb_frame for at in _tracebacks(error)]
    ours = [frame for frame in frames if frame.f_globals["__name__"].startswith("callsheet.")]
    assert [(frame.f_code.co_name, list(frame.f_locals)) for frame in ours if frame.f_locals] == [
        ("outer", ["function"])
    ]


def _tracebacks(error):
    at = error.__traceback__
    while at is not None:
        yield at
        at = at.tb_next


def test_a_function_of_the_user_keeps_its_own():
    def falls(error):
        own = f"own {error.status_code}"
        raise ZeroDivisionError(len(own))

    operation = {"get": "/x", "returns": "object", "fallback": {"python": falls}}
    with ScriptedServer([raw(response(500))]) as server:
        service = {"base_url": server.url, "retry": "off", "operations": {"op": operation}}
        with Client(Sheet(services={"s": service})) as client, pytest.raises(UsageError) as caught:
            client.call("op")
    told = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert "own = 'own 500'" in told
    assert "attempt = " not in told


@pytest.mark.parametrize("read", ["iter_bytes", "iter_lines", "iter_json_lines", "read"])
@pytest.mark.parametrize("colour", COLOURS)
def test_a_stream_that_breaks_holds_no_piece(colour, read):
    begun = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + f'"{CANARY}"\n'.encode())

    def in_thread(url):
        with Client(base_url=url) as client, client.stream("GET", "/x") as answer:
            for piece in getattr(answer, read)():
                del piece  # this frame is in the traceback, too

    async def in_task(url):
        async with AsyncClient(base_url=url) as client, client.stream("GET", "/x") as answer:
            if read == "read":
                await answer.read()
            async for piece in getattr(answer, read)():
                del piece

    with ScriptedServer([then(begun, close())]) as server:
        work = in_thread if colour == "blocking" else lambda url: run(in_task(url), colour)
        leaks, error = leaks_of(lambda: work(server.url))
    assert error.was_sent
    assert leaks == []


@pytest.mark.parametrize("on_error", ["raise", "keep"])
@pytest.mark.parametrize("colour", COLOURS)
def test_a_row_of_many_is_in_no_frame(colour, on_error):
    rows = Hidden([{"t": CANARY}])

    def in_threads(sheet):
        with Client(sheet) as client, client.map("op", rows.value, on_error=on_error) as outcomes:
            for outcome in outcomes:
                outcome.result()

    async def in_tasks(sheet):
        async with AsyncClient(sheet) as client:
            async for outcome in client.map("op", rows.value, on_error=on_error):
                outcome.result()

    operation = {"get": "/x", "query": {"t": {"type": "string", "secret": True}}}
    with RefusedPort() as server:
        sheet = Sheet(services={"s": {"base_url": server.url, "retry": "off", "operations": {"op": operation}}})
        work = in_threads if colour == "blocking" else lambda sheet: run(in_tasks(sheet), colour)
        leaks, _ = leaks_of(lambda: work(sheet))
    # With `keep` the outcome is a variable of this test, and shows the row that it was given.
    assert leaks == ([] if on_error == "raise" else ["traceback as rich shows it", "traceback with locals"])


HEAD = "callsheet: 1\nservices:\n  s:\n    base_url: http://h\n    "
WRONG = Hidden({"bearer": CANARY, "extra": 1})


def for_one_service():
    with Client(base_url="http://h") as client:
        client.service("api", auth=WRONG.value)


SHEETS = {
    "in code": lambda: Client(base_url="http://h", auth=WRONG.value),
    "in code for tasks": lambda: AsyncClient(base_url="http://h", auth=WRONG.value),
    "in Python": lambda: Sheet(services={"s": {"base_url": "http://h", "auth": WRONG.value}}),
    "for one service": for_one_service,
    "in a text": lambda: Sheet.parse(HEAD + f"auth: {{bearer: {WRONG.value['bearer']}, extra: 1}}\n"),
    "in a broken text": lambda: Sheet.parse(HEAD + f"auth: {{bearer: {WRONG.value['bearer']}\n"),
    "an outline": lambda: Sheet.outline(HEAD + f"auth: {{bearer: {WRONG.value['bearer']}, extra: 1}}\n"),
    "a variable": lambda: Sheet.parse(
        HEAD + "auth: {bearer: '${T}', extra: 1}\n", variables={"T": WRONG.value["bearer"]}
    ),
}


@pytest.mark.parametrize("build", SHEETS.values(), ids=SHEETS)
def test_a_sheet_that_is_wrong_is_in_no_frame(build):
    leaks, _ = leaks_of(build, SheetError)
    assert leaks == []


def test_a_context_that_is_not_shown_is_cut_off():
    with Client(base_url="http://h", headers={"X-A": "a"}) as client:
        _, error = leaks_of(lambda: client.get("/x", params={"k": "\ud800"}))
    assert (error.__cause__, error.__context__) == (None, None)


def test_a_context_of_the_caller_stays():
    def asks(client):
        try:
            {}["key"]
        except KeyError:
            client.get("/x")

    with RefusedPort() as server, Client(base_url=server.url, retry="off") as client:
        _, error = leaks_of(lambda: asks(client))
    assert isinstance(error.__context__, KeyError)


def test_an_error_that_somebody_has_kept_ends_nothing_that_goes_on():
    """One call catches the error of its login and goes on; another raises it again meanwhile."""
    kept = []
    second = threading.Event()
    raised = threading.Event()

    def first(request):
        try:
            yield request_to("GET", refused.url)
        except NotSent as error:
            kept.append(error)
        second.set()
        assert raised.wait(5)
        try:
            yield request_to("GET", refused.url)
        except NotSent:
            return request.plus("X-Session", "spare")

    def other(request):
        raise AuthError("as before") from kept[0]

    with ScriptedServer(answer()) as server, RefusedPort() as refused, ThreadPoolExecutor(1) as pool:
        url = server.url
        with Client(base_url=url, auth={"python": first}) as one, Client(base_url=url, auth={"python": other}) as two:
            goes_on = pool.submit(one.get, "/x")
            assert second.wait(5)
            with pytest.raises(AuthError):
                two.get("/x")
            raised.set()
            assert goes_on.result(5).ok


def test_what_a_function_of_the_user_raises_as_ours_keeps_its_frames():
    def refuses(request):
        mine = "a-variable-of-mine"
        raise AuthError(f"not {len(mine)}")

    with Client(base_url="http://127.0.0.1:1", auth={"python": refuses}) as client, pytest.raises(AuthError) as caught:
        client.get("/x")
    told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert any("a-variable-of-mine" in text for text in told.format())


def test_a_module_whose_name_only_begins_like_ours_is_not_ours():
    names = {"__name__": "callsheet_jobs"}
    exec("def fails(error):\n    mine = 'kept'\n    raise error", names)
    try:
        names["fails"](APIError("x"))
    except APIError as error:
        bare(error)
        frames = traceback.TracebackException.from_exception(error, capture_locals=True).stack
    assert frames[-1].locals["mine"] == "'kept'"


@pytest.mark.parametrize("colour", COLOURS)
def test_what_a_closed_client_was_given_is_in_no_frame(colour):
    hidden = Hidden([{"t": CANARY}])
    options = Hidden({"headers": {"X-T": CANARY}})

    def in_threads():
        client = Client(base_url="http://h")
        client.close()
        client.map("op", hidden.value, **options.value)

    def in_tasks():
        async def main():
            client = AsyncClient(base_url="http://h")
            await client.aclose()
            client.stream("GET", "/x", **options.value)

        run(main(), colour)

    leaks, _ = leaks_of(in_threads if colour == "blocking" else in_tasks, UsageError)
    assert leaks == []
