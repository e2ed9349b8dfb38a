"""Many calls at once: every one is answered with its own answer, and nothing is left."""

from __future__ import annotations

import threading

import pytest

from callsheet.errors import NoAnswer, NotSent
from callsheet.http.response import Response
from callsheet.settings.pool import Pool
from callsheet.transports.connection_settings import ConnectionSettings
from tests.contract.worlds import COLOURS, LIMITS, BlockingWorld, World, request, world_of
from tests.servers import Certificates, EchoServer, ScriptedServer, answer, answer_with, lose_answer, reset

PATIENT = LIMITS._replace(connect=20.0, attempt=30.0)


def open_gate_at(server: EchoServer, count: int) -> threading.Thread:
    watcher = threading.Thread(target=lambda: server.wait_waiting(count, 20.0) and server.open_gate())
    watcher.start()
    return watcher


@pytest.mark.parametrize("colour", [each for each in COLOURS if each != "blocking"])
def test_a_thousand_tasks_at_once(colour: str) -> None:
    world = world_of(colour, ConnectionSettings(pool=Pool(connections=1000)))
    with EchoServer(gated=True) as server:
        watcher = open_gate_at(server, 1000)
        wanted = [request(f"{server.url}/{number}", "POST", b"%d" % number) for number in range(1000)]
        answers = world.together(wanted, PATIENT)
        watcher.join()
        assert [(each.json()["target"], each.json()["json"]) for each in answers] == [
            (f"/{number}", number) for number in range(1000)
        ]
        assert server.connections == 1000
        world.end()
        assert server.wait_all_closed(10.0)


def test_sixteen_threads_on_one_transport(echo_server: EchoServer) -> None:
    world = BlockingWorld()
    wrong: list[object] = []

    def work(number: int) -> None:
        for turn in range(25):
            target = f"/{number}/{turn}"
            if world.get(echo_server.url + target).json()["target"] != target:
                wrong.append(target)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(echo_server.requests) == 400
    assert echo_server.connections <= 16
    world.end()
    assert echo_server.wait_all_closed()


def test_failures_and_answers_do_not_get_mixed_up(world: World) -> None:
    def choose(wanted):
        number = int(wanted.target[1:])
        return (answer(body=b"%d" % number), lose_answer(), reset())[number % 3]

    with ScriptedServer(answer_with(choose)) as server:
        outcomes = world.together([request(f"{server.url}/{number}", "POST", b"{}") for number in range(90)])
        assert len(server.requests) == 90
    for number, outcome in enumerate(outcomes):
        if number % 3 == 0:
            assert isinstance(outcome, Response)
            assert outcome.content == b"%d" % number
        else:
            assert isinstance(outcome, NoAnswer)


def test_names_are_looked_up_once_for_all(world: World, echo_server: EchoServer, monkeypatch) -> None:
    import socket

    asked = []
    real = socket.getaddrinfo
    monkeypatch.setattr("socket.getaddrinfo", lambda *args, **kw: asked.append(args) or real(*args, **kw))
    url = f"http://localhost:{echo_server.port}/"
    outcomes = world.together([request(url) for _ in range(30)])
    assert all(isinstance(each, Response) for each in outcomes)
    world.get(url)
    assert len(asked) == 1


def test_a_bad_name_fails_for_all_that_wait(world: World) -> None:
    outcomes = world.together([request("http://" + "a" * 64 + "/") for _ in range(10)])
    assert [type(each) for each in outcomes] == [NotSent] * 10


def test_many_handshakes_at_once(worlds, certificates: Certificates) -> None:
    from callsheet.settings.tls import TLS

    world = worlds(ConnectionSettings(tls=TLS(ca=certificates.ca_file)))
    with EchoServer(tls=certificates.good()) as server:
        answers = world.together([request(f"{server.url}/{number}") for number in range(30)])
        assert [each.json()["target"] for each in answers] == [f"/{number}" for number in range(30)]
