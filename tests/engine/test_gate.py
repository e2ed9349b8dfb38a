"""A gate opens for all who wait, and for those who come later."""

import threading

from callsheet.process.gate import Gate
from tests.strikes import strikes


def test_it_is_shut_until_it_is_opened():
    gate = Gate()
    assert (gate.is_open, gate.wait(0.0), gate.wait(-1.0), gate.wait(0.001)) == (False,) * 4
    gate.open()
    gate.open()
    assert (gate.is_open, gate.wait(0.0), gate.wait(5.0)) == (True,) * 3


def test_it_opens_for_all_who_wait():
    gate = Gate()
    threads = [threading.Thread(target=gate.wait, args=(60.0,), daemon=True) for _ in range(5)]
    for thread in threads:
        thread.start()
    gate.open()
    for thread in threads:
        thread.join(5.0)
    assert not any(thread.is_alive() for thread in threads)


def test_an_interrupted_wait_leaves_it_as_it_was():
    gate = Gate()
    for _ in strikes(lambda: gate.wait(0.001)):
        pass
    gate.open()
    assert gate.wait(5.0)


def test_an_interrupted_opening_can_be_repeated():
    gates = [Gate()]
    for _ in strikes(lambda: gates[-1].open()):  # noqa: PLW0108 another gate each time
        gates[-1].open()
        assert gates[-1].wait(5.0)
        gates.append(Gate())
