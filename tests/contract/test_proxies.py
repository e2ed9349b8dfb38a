"""Through a proxy: what it is told, and what the service is not."""

from __future__ import annotations

import base64
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from callsheet.errors import ConnectTimeout, NotSent, TLSError, UsageError
from callsheet.secret import Secret
from callsheet.settings.tls import TLS
from callsheet.transports.connection_settings import ConnectionSettings
from callsheet.transports.curl.next_hop import Proxy, proxy_of
from tests.contract.bodies import BLOCK, upload
from tests.contract.worlds import LIMITS, World, request
from tests.servers import (
    Certificates,
    EchoServer,
    HttpProxy,
    RefusedPort,
    ScriptedServer,
    Socks5Proxy,
    answer,
    close,
    lose_answer,
    silence_before_reading,
)

Worlds = Callable[[ConnectionSettings], World]
USER, PASSWORD = "ada", "corr:ect horse@%/"
CREDENTIALS = f"{USER}:{PASSWORD}"
CODED = base64.b64encode(CREDENTIALS.encode()).decode()
USERINFO = "ada:corr%3Aect%20horse%40%25%2F@"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name == "NETRC":
            monkeypatch.delenv(name)


def with_credentials(url: str) -> Secret:
    """The URL of a proxy that wants to know us."""
    return Secret(url.replace("://", f"://{USERINFO}"))


def test_a_plain_request_is_given_to_the_proxy(worlds: Worlds) -> None:
    with HttpProxy(CREDENTIALS) as proxy, ScriptedServer(answer(body=b"here")) as server:
        world = worlds(ConnectionSettings(proxy=with_credentials(proxy.url)))
        for _ in range(2):
            assert world.post(f"{server.url}/a?b=1", b"abc").content == b"here"
        told, heard = proxy.requests[0], server.requests[0]
        assert told.line == f"POST {server.url}/a?b=1 HTTP/1.1".encode()
        assert told.header("Proxy-Authorization") == f"Basic {CODED}"
        assert (heard.target, heard.body) == ("/a?b=1", b"abc")
        assert heard.header("Proxy-Authorization") is None


@pytest.mark.parametrize("is_tls", [False, True])
def test_a_secured_request_passes_a_tunnel(
    worlds: Worlds, certificates: Certificates, monkeypatch: pytest.MonkeyPatch, is_tls: bool
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.ca_file))
    tls = certificates.good() if is_tls else None
    with HttpProxy(CREDENTIALS, tls=tls) as proxy, ScriptedServer(tls=certificates.good()) as server:
        world = worlds(ConnectionSettings(tls=TLS(ca=certificates.ca_file), proxy=with_credentials(proxy.url)))
        for _ in range(2):
            answered = world.send(request(server.url, "POST", b"abc", Authorization="Bearer of-the-service"))
            assert (answered.status_code, answered.headers.get("x-proxy")) == (200, None)
        (told,) = proxy.requests
        assert told.line == f"CONNECT 127.0.0.1:{server.port} HTTP/1.1".encode()
        assert told.header("Proxy-Authorization") == f"Basic {CODED}"
        assert told.header("Authorization") is None
        assert told.header("User-Agent") is None
        for heard in server.requests:
            assert (heard.header("Proxy-Authorization"), heard.body) == (None, b"abc")
            assert heard.header("Authorization") == "Bearer of-the-service"
            assert CODED.encode() not in heard.head
        assert server.connections == 1


@pytest.mark.parametrize("is_stream", [False, True])
def test_streams_and_uploads_pass_a_tunnel(worlds: Worlds, certificates: Certificates, is_stream: bool) -> None:
    with HttpProxy() as proxy, ScriptedServer(answer(body=BLOCK), tls=certificates.good()) as server:
        world = worlds(ConnectionSettings(tls=TLS(ca=certificates.ca_file), proxy=proxy.url))
        answered = world.send(upload(server.url, iter([BLOCK] * 9), is_stream=is_stream))
        if is_stream:
            got = b""
            while piece := world.read(answered.stream):
                got += piece
            answered.stream.close()  # type: ignore[union-attr]
        else:
            got = answered.content
        assert (got, server.requests[0].body) == (BLOCK, BLOCK * 9)


@pytest.mark.parametrize("is_tls", [False, True])
@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("/a%2fb?c=%c3%a9#d", "/a%2fb?c=%c3%a9"),
        ("/%c3/?next=http://b.test/%2f", "/%c3/?next=http://b.test/%2f"),
        ("?c=%c3%a9", "/?c=%c3%a9"),
        ("/a%2Fb", "/a%2Fb"),
    ],
)
def test_the_target_is_in_absolute_form_however_it_is_escaped(
    worlds: Worlds, certificates: Certificates, is_tls: bool, url: str, target: str
) -> None:
    """RFC 9112 3.2.2; in a tunnel, and through SOCKS, the service itself is asked, in origin form."""
    trusted = TLS(ca=certificates.ca_file)
    tls = certificates.good() if is_tls else None
    with HttpProxy() as proxy, Socks5Proxy() as socks, ScriptedServer() as server, ScriptedServer(tls=tls) as own:
        world = worlds(ConnectionSettings(tls=trusted, proxy=proxy.url))
        assert world.post(f"{server.url}{url}").status_code == 200
        assert proxy.requests[0].line == f"POST {server.url}{target} HTTP/1.1".encode()
        assert server.requests[0].target == target
        through = proxy.url if is_tls else f"socks5h://127.0.0.1:{socks.port}"
        assert worlds(ConnectionSettings(tls=trusted, proxy=through)).get(f"{own.url}{url}").status_code == 200
        assert own.requests[0].target == target


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("j%C3%B6s%C3%A9:p%C3%A4ss%E2%82%AC", "jösé:päss€".encode()),
        ("jösé:päss€", "jösé:päss€".encode()),
        ("j%F6s%E9:p%E4ss", b"j\xf6s\xe9:p\xe4ss"),
    ],
)
def test_credentials_outside_ascii_are_sent_byte_for_byte(
    worlds: Worlds, certificates: Certificates, written: str, sent: bytes
) -> None:
    coded = f"Basic {base64.b64encode(sent).decode()}"
    with HttpProxy() as proxy, ScriptedServer(tls=certificates.good()) as server, ScriptedServer() as plain:
        url = Secret(proxy.url.replace("://", f"://{written}@"))
        world = worlds(ConnectionSettings(tls=TLS(ca=certificates.ca_file), proxy=url))
        assert [world.get(each.url).status_code for each in (plain, server)] == [200, 200]
        assert [told.header("Proxy-Authorization") for told in proxy.requests] == [coded, coded]


def test_socks5_with_credentials_outside_ascii(worlds: Worlds) -> None:
    with Socks5Proxy("jösé:päss€") as proxy, ScriptedServer() as server:
        url = Secret(f"socks5h://j%C3%B6s%C3%A9:p%C3%A4ss%E2%82%AC@127.0.0.1:{proxy.port}")
        assert worlds(ConnectionSettings(proxy=url)).get(server.url).status_code == 200
        assert proxy.known == ["jösé:päss€"]


def test_an_upload_without_a_tunnel(worlds: Worlds) -> None:
    with HttpProxy() as proxy, ScriptedServer() as server:
        world = worlds(ConnectionSettings(proxy=proxy.url))
        assert world.send(upload(server.url, iter([BLOCK] * 9))).status_code == 200
        assert server.requests[0].body == BLOCK * 9


@pytest.mark.parametrize(
    ("status", "hint"), [(407, "user name and password"), (403, "403"), (502, "502"), (302, "302")]
)
def test_a_tunnel_that_is_refused_was_never_sent(
    worlds: Worlds, certificates: Certificates, status: int, hint: str
) -> None:
    with HttpProxy(refusal=status) as proxy, ScriptedServer(tls=certificates.good()) as server:
        world = worlds(ConnectionSettings(tls=TLS(ca=certificates.ca_file), proxy=with_credentials(proxy.url)))
        for is_stream in (False, True):
            error = world.failure(request(server.url, "POST", b"abc", is_stream=is_stream))
            assert type(error) is NotSent
            assert not error.was_sent
            assert f"the proxy refused to connect: it answered {status}" in str(error)
            assert hint in str(error)
            for word in (PASSWORD, USERINFO, CODED):
                assert word not in f"{error} {error!r} {error.request!r}"
            assert error.is_local == (status == 407)
        assert len(proxy.requests) == 2
        assert server.connections == 0


def test_a_plain_request_that_the_proxy_refuses_is_its_answer(worlds: Worlds, echo_server: EchoServer) -> None:
    with HttpProxy("other:one") as proxy:
        world = worlds(ConnectionSettings(proxy=with_credentials(proxy.url)))
        assert world.post(echo_server.url).status_code == 407


def test_a_proxy_that_does_not_listen(worlds: Worlds, refused_port: RefusedPort, echo_server: EchoServer) -> None:
    for scheme in ("http", "https", "socks5", "socks5h"):
        world = worlds(ConnectionSettings(proxy=f"{scheme}://127.0.0.1:{refused_port.port}"))
        error = world.failure(request(echo_server.url, "POST", b"abc"))
        assert type(error) is NotSent
        assert not error.was_sent
    assert echo_server.connections == 0


def test_a_proxy_that_says_nothing_or_hangs_up(worlds: Worlds, certificates: Certificates) -> None:
    for action, kind in ((silence_before_reading(), ConnectTimeout), (close(), NotSent)):
        with ScriptedServer(action) as proxy, ScriptedServer(tls=certificates.good()) as server:
            world = worlds(ConnectionSettings(tls=TLS(ca=certificates.ca_file), proxy=proxy.url))
            error = world.failure(request(server.url, "POST", b"abc"), LIMITS._replace(connect=0.2))
            assert type(error) is kind
            assert not error.was_sent


def test_an_answer_lost_behind_a_tunnel_is_not_sent_twice(worlds: Worlds, certificates: Certificates) -> None:
    with HttpProxy() as proxy, ScriptedServer([answer(), lose_answer()], tls=certificates.good()) as server:
        world = worlds(ConnectionSettings(tls=TLS(ca=certificates.ca_file), proxy=proxy.url))
        world.post(server.url)
        error = world.failure(request(server.url, "POST", b"abc"))
        assert error.was_sent
        assert len(server.requests) == 2


def test_a_proxy_whose_certificate_nobody_vouches_for(worlds: Worlds, certificates: Certificates) -> None:
    with HttpProxy(tls=certificates.good()) as proxy, ScriptedServer(tls=certificates.good()) as server:
        error = worlds(ConnectionSettings(proxy=proxy.url)).failure(server.url)
        assert isinstance(error, TLSError)
        assert not error.was_sent


@pytest.mark.parametrize("is_tls", [False, True])
@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_socks5(worlds: Worlds, certificates: Certificates, scheme: str, is_tls: bool) -> None:
    tls = certificates.good() if is_tls else None
    with Socks5Proxy(CREDENTIALS) as proxy, ScriptedServer(tls=tls) as server:
        url = with_credentials(f"{scheme}://127.0.0.1:{proxy.port}")
        world = worlds(ConnectionSettings(tls=TLS(ca=certificates.ca_file), proxy=url))
        named = server.url.replace("127.0.0.1", "localhost")
        for _ in range(2):
            assert world.post(named, b"abc").status_code == 200
        assert proxy.known == [CREDENTIALS]
        ((host, port),) = proxy.destinations
        assert port == server.port
        assert host == "localhost" if scheme == "socks5h" else host in ("127.0.0.1", "::1")
        for heard in server.requests:
            assert (heard.body, CODED.encode() in heard.head) == (b"abc", False)


def test_socks5_that_refuses_was_never_sent(worlds: Worlds) -> None:
    with Socks5Proxy("other:one") as unknown, Socks5Proxy(is_refusing=True) as refusing, ScriptedServer() as server:
        nameless = f"socks5h://127.0.0.1:{unknown.port}"
        known = with_credentials(f"socks5h://127.0.0.1:{unknown.port}")
        other = with_credentials(f"socks5h://127.0.0.1:{refusing.port}")
        for proxy, url in ((unknown, nameless), (unknown, known), (refusing, other)):
            world = worlds(ConnectionSettings(proxy=url))
            error = world.failure(request(server.url, "POST", b"abc"))
            assert type(error) is NotSent
            assert not error.was_sent
            assert error.is_local == (proxy is not refusing)
            assert PASSWORD not in str(error)
        assert server.connections == 0


@pytest.mark.parametrize(
    ("scheme", "looked_up"),
    [("http", {"localhost"}), ("socks5h", {"localhost"}), ("socks5", {"localhost", "service.test"})],
)
def test_whose_name_is_looked_up(
    worlds: Worlds, monkeypatch: pytest.MonkeyPatch, scheme: str, looked_up: set[str]
) -> None:
    asked = set()

    def getaddrinfo(host: str, port: int, *_: object, **__: object) -> list[tuple]:
        asked.add(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    kind = HttpProxy if scheme == "http" else Socks5Proxy
    with ScriptedServer() as server, kind() as proxy:
        monkeypatch.setattr("socket.getaddrinfo", getaddrinfo)
        world = worlds(ConnectionSettings(proxy=f"{scheme}://localhost:{proxy.port}"))
        host = "service.test" if scheme == "socks5" else "localhost"
        monkeypatch.setattr("socket.create_connection", dialled)
        assert world.get(f"http://{host}:{server.port}/").status_code == 200
        assert asked == looked_up


def dialled(address: tuple[str, int], **_: object) -> socket.socket:
    """How the servers here connect, whatever names are said to mean."""
    sock = socket.socket()
    sock.connect(("127.0.0.1", address[1]))
    return sock


def test_the_proxy_of_the_environment_is_asked_for(
    worlds: Worlds, monkeypatch: pytest.MonkeyPatch, echo_server: EchoServer, certificates: Certificates
) -> None:
    trusted = TLS(ca=certificates.ca_file)
    with HttpProxy(CREDENTIALS) as proxy, ScriptedServer(tls=certificates.good()) as secured:
        monkeypatch.setenv("http_proxy", with_credentials(proxy.url).reveal())
        monkeypatch.setenv("HTTPS_PROXY", with_credentials(proxy.url).reveal())
        assert worlds(ConnectionSettings()).get(echo_server.url).status_code == 200
        assert proxy.connections == 0
        world = worlds(ConnectionSettings(tls=trusted, trust_env=True))
        assert [world.get(url).status_code for url in (echo_server.url, secured.url)] == [200, 200]
        assert [each.method for each in proxy.requests] == ["GET", "CONNECT"]
        for spared in ("127.0.0.1", "*", f"127.0.0.1:{echo_server.port}", "a.test 10.0.0.0/8,127.0.0.0/8", "127.*"):
            monkeypatch.setenv("no_proxy", spared)
            assert worlds(ConnectionSettings(trust_env=True)).get(echo_server.url).status_code == 200
        assert len(proxy.requests) == 2


def test_a_declared_proxy_goes_before_the_environment(
    worlds: Worlds, monkeypatch: pytest.MonkeyPatch, echo_server: EchoServer, refused_port: RefusedPort
) -> None:
    with HttpProxy() as proxy:
        monkeypatch.setenv("http_proxy", refused_port.url)
        monkeypatch.setenv("no_proxy", "*")
        for trust_env in (False, True):
            assert (
                worlds(ConnectionSettings(proxy=proxy.url, trust_env=trust_env)).get(echo_server.url).status_code == 200
            )
        assert len(proxy.requests) == 2


def test_the_users_netrc_counts_where_the_environment_is_trusted(
    worlds: Worlds, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, echo_server: EchoServer
) -> None:
    path = tmp_path / "own-netrc"
    path.write_text("machine 127.0.0.1 login ada password from-netrc\n")
    path.chmod(0o600)
    monkeypatch.setenv("NETRC", str(path))
    sent = f"Basic {base64.b64encode(b'ada:from-netrc').decode()}"

    def authorization(world: World, **fields: str) -> str | None:
        return world.send(request(echo_server.url, **fields)).json()["headers"].get("Authorization")

    assert authorization(worlds(ConnectionSettings())) is None
    world = worlds(ConnectionSettings(trust_env=True))
    assert [authorization(world), authorization(world)] == [sent, sent]
    assert authorization(world, Authorization="Bearer mine") == "Bearer mine"


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("http://a.test:3128", Proxy("http", "a.test", 3128, None, "")),
        ("a.test:3128", Proxy("http", "a.test", 3128, None, "")),
        ("https://a.test", Proxy("https", "a.test", 443, None, "")),
        ("socks5h://u:p%40@[::1]", Proxy("socks5h", "::1", 1080, "u", "p@")),
        ("http://u@a.test", Proxy("http", "a.test", 80, "u", "")),
        ("http://b\u00fccher.test", Proxy("http", "xn--bcher-kva.test", 80, None, "")),
    ],
)
def test_what_a_proxys_url_says(url: str, proxy: Proxy) -> None:
    assert proxy_of(url, "proxy") == proxy
    assert "p@" not in repr(proxy_of(url, "proxy"))


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.test",
        "http://",
        "http://u:hidden@a.test:x",
        "http://a.test:99999",
        "http://u:hidden@[::1",
        "http://u:hid\uff1aden@a.test",
        "http://a..test",
    ],
)
def test_a_proxys_url_that_says_nothing(url: str) -> None:
    with pytest.raises(UsageError, match="expected a URL") as caught:
        proxy_of(url, "http_proxy")
    assert "hidden" not in str(caught.value)
