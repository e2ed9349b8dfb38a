"""Ports where nobody answers: one that refuses, and one where connecting hangs."""

import socket
from contextlib import ExitStack, contextmanager

MOST = 64


@contextmanager
def refused(host):
    """Bound, so that nobody else takes it, and never listening."""
    with socket.socket() as held:
        held.bind((host, 0))
        yield held.getsockname()[1]


@contextmanager
def blackhole(host):
    """It listens, its queue of accepted connections is full, and so the kernel drops whoever knocks."""
    with ExitStack() as held:
        listener = held.enter_context(socket.socket())
        listener.bind((host, 0))
        listener.listen(0)
        fill(listener.getsockname(), held)
        yield listener.getsockname()[1]


def fill(address, held):
    for _ in range(MOST):
        filler = held.enter_context(socket.socket())
        filler.settimeout(0.2)
        try:
            filler.connect(address)
        except TimeoutError:
            return
    raise SystemExit(
        f"this system still accepts after {MOST} connections on a backlog of 0, expected connecting to hang"
    )
