"""Real servers to test against: each is a context manager with `host`, `port`, `url` and `close()`.

There is none for a slow name lookup: the client resolves names by `socket.getaddrinfo` in a thread of its own, and a
test that needs a slow one replaces that function for its own process (a fresh interpreter), not a server.
"""

from tests.servers.actions import (
    Action,
    answer,
    answer_before_reading,
    answer_early,
    answer_json,
    answer_with,
    big_header,
    brotli_bomb,
    close,
    close_before_reading,
    drip,
    endless_100_continue,
    flood,
    garbage,
    gzip_bomb,
    half_chunk,
    half_header_block,
    head,
    lose_answer,
    many_headers,
    raw,
    reset,
    reset_before_reading,
    response,
    silence,
    silence_before_reading,
    then,
    truncated,
    truncated_gzip,
    wait,
)
from tests.servers.certificates import (
    Certificates,
    hangs_up_in_handshake,
    plain_http_on_tls_port,
    resets_in_handshake,
    silent_in_handshake,
)
from tests.servers.echo import EchoServer
from tests.servers.httpbin import HttpbinServer
from tests.servers.ledger import Ledger, Request
from tests.servers.nginx import NginxServer, nginx_path
from tests.servers.ports import BlackholedPort, RefusedPort
from tests.servers.proxies import HttpProxy, Socks5Proxy
from tests.servers.scripted import ScriptedServer

__all__ = [
    "Action",
    "BlackholedPort",
    "Certificates",
    "EchoServer",
    "HttpProxy",
    "HttpbinServer",
    "Ledger",
    "NginxServer",
    "RefusedPort",
    "Request",
    "ScriptedServer",
    "Socks5Proxy",
    "answer",
    "answer_before_reading",
    "answer_early",
    "answer_json",
    "answer_with",
    "big_header",
    "brotli_bomb",
    "close",
    "close_before_reading",
    "drip",
    "endless_100_continue",
    "flood",
    "garbage",
    "gzip_bomb",
    "half_chunk",
    "half_header_block",
    "hangs_up_in_handshake",
    "head",
    "lose_answer",
    "many_headers",
    "nginx_path",
    "plain_http_on_tls_port",
    "raw",
    "reset",
    "reset_before_reading",
    "resets_in_handshake",
    "response",
    "silence",
    "silence_before_reading",
    "silent_in_handshake",
    "then",
    "truncated",
    "truncated_gzip",
    "wait",
]
