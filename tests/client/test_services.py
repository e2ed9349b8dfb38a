"""Services of a client that have settings of their own."""

import threading

from callsheet import Client

SERVICE = {"base_url": "http://127.0.0.1:9"}


def test_a_service_with_settings_of_its_own_is_forgotten_with_its_last_user():
    with Client(**SERVICE) as client:
        for _ in range(10):
            client.service("api", timeout=2)
        assert len(client._all_plans) == 1


def test_services_with_settings_share_one_transport_however_many_ask_at_once():
    used = []
    with Client(**SERVICE) as client:
        client.service("api")
        start = threading.Barrier(16)

        def ask():
            start.wait()
            used.append(client.service("api", pool={"connections": 7})._maker.io.transport)

        threads = [threading.Thread(target=ask) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(map(id, used))) == 1
        assert len(client._wiring._transports) == 2
