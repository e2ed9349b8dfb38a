import asyncio
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from pydantic import BaseModel

from callsheet import practice
from callsheet.practice import SHEET, PracticeServer, create_app

from .conftest import Caller


def test_the_index_names_every_route_and_what_it_is_for(call):
    endpoints = call.get("/").json["endpoints"]
    served = {route.path for route in create_app().routes} - {"/"}
    assert {row["path"] for row in endpoints} == served
    assert all(row["what"].endswith(".") for row in endpoints)


def test_the_table_of_endpoints_holds_every_route():
    table = set(re.findall(r"/[\w{}:/]*", practice.__doc__))
    assert {route.path for route in create_app().routes} <= table


def test_an_unknown_path_and_method_are_problems(call):
    missing, refused = call.get("/nowhere"), call("DELETE", "/users")
    assert (missing.status, missing.type) == (404, "application/problem+json")
    assert (refused.status, refused.type) == (405, "application/problem+json")


def test_a_trailing_slash_is_another_path(call):
    assert call.get("/users/").status == 404


def test_one_connection_serves_many_requests(server):
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=10)
    ports = set()
    for path in ("/users", "/status/503", "/flaky/kept"):
        connection.request("POST", path, body=b"{}")
        connection.getresponse().read()
        ports.add(connection.sock.getsockname())
    connection.close()
    assert len(ports) == 1


def test_answers_on_a_kept_connection_do_not_wait_for_acknowledgements(server):
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=10)
    started = time.monotonic()
    for _ in range(100):
        connection.request("GET", "/users/1")
        connection.getresponse().read()
    connection.close()
    assert time.monotonic() - started < 3.0  # a delayed acknowledgement each would make it four


def test_a_hundred_connections_at_once_are_answered(server):
    call = Caller(server.url)
    with ThreadPoolExecutor(100) as pool:
        found = pool.map(lambda number: call.get(f"/echo/{number}").json["path"], range(100))
        assert list(found) == [f"/echo/{number}" for number in range(100)]


def test_in_process_there_is_no_connection_to_break():
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/drop", "query_string": b"", "headers": []}
    asyncio.run(create_app()(scope, receive, send))
    assert sent[0]["status"] == 501


def test_two_servers_share_nothing():
    with PracticeServer() as one, PracticeServer() as two:
        assert one.url != two.url
        Caller(one.url)("DELETE", "/users/1")
        assert Caller(two.url).get("/users/1").status == 200


@pytest.mark.parametrize("path", ["/slow?seconds=60", "/drip?bytes=60&pause=1", "/token?seconds=60"])
def test_a_server_stops_within_a_second_whatever_it_is_answering(path, caplog):
    threads = threading.active_count()
    with PracticeServer() as server:
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=10)
        connection.request("POST", path, body=b"x")
        Caller(server.url).get("/")
        started = time.monotonic()
    assert time.monotonic() - started < 1.0
    assert threading.active_count() == threads
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        connection.getresponse().read()
    connection.close()
    assert not caplog.records


def test_a_stopped_server_frees_its_port():
    with PracticeServer() as server:
        port = urlsplit(server.url).port
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
    with PracticeServer(port) as again:
        assert Caller(again.url).get("/users/1").status == 200


def test_a_server_that_never_started_frees_its_port():
    server = PracticeServer()
    server.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", urlsplit(server.url).port), timeout=5)


def test_a_taken_port_is_named(server):
    with pytest.raises(OSError, match=r"127\.0\.0\.1 port \d+ .*choose another port"):
        PracticeServer(urlsplit(server.url).port)


def test_serve_prints_the_url_and_each_answer_to_stderr_and_ends_on_ctrl_c():
    program = "from callsheet.practice import serve; serve(port=0)"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        url = re.search(r"http://\S+", running.stderr.readline().decode())[0]
        assert Caller(url).get("/users/999").status == 404
        running.send_signal(signal.SIGINT)
        output, errors = running.communicate(timeout=10)
    assert (running.returncode, output) == (0, b"")
    assert errors.decode().splitlines() == ["GET /users/999 404"]


@pytest.mark.parametrize("missing", ["uvicorn", "starlette"])
def test_without_the_extra_the_error_says_what_to_install(missing):
    program = f"import sys; sys.modules[{missing!r}] = None; from callsheet.practice import serve"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert f'the practice API needs {missing}: pip install "callsheet[practice]"' in done.stderr.decode()


def test_the_models_need_no_extra():
    program = "import sys, callsheet.practice.models; sys.exit('starlette' in sys.modules or 'uvicorn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_importing_callsheet_does_not_load_the_practice_api():
    program = "import sys, callsheet; sys.exit(any(name.startswith('callsheet.practice') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def operations():
    return yaml.safe_load(SHEET.read_text())["services"]["practice"]["operations"]


@pytest.mark.parametrize("name", operations())
def test_each_operation_of_the_sheet_is_served_and_its_types_exist(name):
    operation = operations()[name]
    method, path = next((key, operation[key]) for key in ("get", "post", "put", "patch", "delete") if key in operation)
    shape = re.sub(r"\{\w+\}", "{}", path)
    served = [route for route in create_app().routes if re.sub(r"\{[\w:]+\}", "{}", route.path) == shape]
    assert any(route.methods is None or method.upper() in route.methods for route in served)
    assert set(re.findall(r"\{(\w+)\}", path)) == set(operation.get("path", {}))
    for kind in (operation.get("json", "object"), operation.get("returns", "object")):
        module, _, model = kind.partition(":")
        assert kind == "object" or issubclass(getattr(__import__(module, fromlist=[model]), model), BaseModel)


def test_the_sheet_lies_beside_the_package():
    assert Path(practice.__file__).parent == SHEET.parent
    assert os.access(SHEET, os.R_OK)
