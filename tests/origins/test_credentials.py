"""Every way in which the sheet can prove who we are, against every way to another origin: nothing of it arrives there.

A further kind of credential is one more line of KINDS.
"""

import ssl
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from callsheet import NoAnswer, OriginRefused, Sheet
from callsheet.http.cross_origin import HARMLESS
from tests.servers import ScriptedServer
from tests.servers.actions import Action, answer, answer_with, close, raw, response, then
from tests.servers.proxies import HttpProxy
from tests.servers.token_giver import TokenGiver, token_for

CANARY = "canary-7f3a9c51-0123456789abcdefghij"
FILE = b"0123456789"
NOTHING: Mapping[str, Any] = MappingProxyType({})


class Kind(NamedTuple):
    """What a service has on the sheet, and what the operation that is called has and is given."""

    service: Mapping[str, Any]
    operation: Mapping[str, Any] = NOTHING
    arguments: Mapping[str, Any] = NOTHING


SECRET_PARAMETERS = {
    "header": {"X-T": {"type": "string", "secret": True}},
    "query": {"t": {"type": "string", "secret": True}},
}
KINDS = {
    "bearer": Kind({"auth": {"bearer": CANARY}}),
    "basic": Kind({"auth": {"basic": {"username": "ada", "password": CANARY}}}),
    "api_key header": Kind({"auth": {"api_key": {"header": "X-Key", "value": CANARY}}}),
    "api_key in a harmless header": Kind({"auth": {"api_key": {"header": "Accept-Language", "value": CANARY}}}),
    "api_key query": Kind({"auth": {"api_key": {"query": "key", "value": CANARY}}}),
    "api_key cookie": Kind({"auth": {"api_key": {"cookie": "key", "value": CANARY}}}),
    "jwt": Kind({"auth": {"jwt": {"secret": CANARY}}}),
    "jwt in a header of its own": Kind({"auth": {"jwt": {"secret": CANARY, "header": "X-Token", "scheme": ""}}}),
    "oauth2": Kind({"auth": {"oauth2": {"token_url": "TOKENS", "client_id": "a", "refresh_token": CANARY}}}),
    "a function": Kind({"auth": {"python": lambda request: request.plus("X-Token", CANARY)}}),
    "hmac": Kind({"sign": {"hmac": {"key": CANARY, "nonce_header": "X-Nonce"}}}),
    "http signature": Kind({"sign": {"http_signature": {"key": CANARY, "key_id": "a", "algorithm": "hmac-sha256"}}}),
    "aws": Kind(
        {
            "sign": {
                "aws": {
                    "service": "s3",
                    "region": "eu-west-1",
                    "credentials": {"access_key": CANARY, "secret_key": CANARY, "session_token": CANARY},
                }
            }
        }
    ),
    "header from a variable": Kind({"headers": {"X-Token": "${CANARY}", "User-Agent": "shop ${CANARY}"}}),
    "header written out": Kind({"headers": {"X-Token": CANARY}}),
    "params": Kind({"params": {"key": "${CANARY}"}}),
    "cookie jar": Kind({"cookies": True}),
    "secret parameters": Kind({}, SECRET_PARAMETERS, {"x_t": CANARY, "t": CANARY}),
    "client certificate": Kind({"tls": "presented"}),
    "netrc": Kind({"trust_env": True}),
    "proxy": Kind({"proxy": "with a password"}),
    "time left": Kind({"deadline_header": "X-Timeout"}),
}
STATUSES = (301, 302, 303, 307, 308)


class Servers(NamedTuple):
    """The service's own server, the other one, and where the other one is."""

    home: ScriptedServer
    other: ScriptedServer
    elsewhere: str


@pytest.fixture(params=["host", "port", "scheme"])
def servers(request, certificates):
    """Two origins that differ in one thing; a server that asks for a certificate takes none as well."""
    home_tls = None if request.param == "scheme" else optional_client(certificates)
    elsewhere: list[str] = []
    home = ScriptedServer(at_home(elsewhere), tls=home_tls)
    other = ScriptedServer(a_file(), tls=optional_client(certificates))
    if request.param == "host":
        elsewhere.append(other.url.replace("127.0.0.1", "localhost"))
    else:
        elsewhere.append(other.url)
    with home, other:
        yield Servers(home, other, elsewhere[0])


def optional_client(certificates):
    context = certificates.client_required(ssl.TLSVersion.TLSv1_3)
    context.verify_mode = ssl.CERT_OPTIONAL
    return context


def at_home(elsewhere: list[str]) -> Action:
    """Redirects by any status, a link, and a cookie for everybody."""

    def told(request):
        cookie = ("Set-Cookie", f"session={CANARY}; Path=/")
        path = urlsplit(request.target).path
        if path.startswith("/go/"):
            return answer(int(path[4:]), [("Location", f"{elsewhere[0]}/file"), cookie])
        return answer(200, [("Link", f'<{elsewhere[0]}/file>; rel="next"'), cookie])

    return answer_with(told)


def a_file() -> Action:
    """A file; who might continue it later gets half of it at first, then the rest."""
    etag = [("ETag", '"1"'), ("Set-Cookie", "theirs=1; Path=/")]

    def told(request):
        if request.header("Range"):
            return answer(206, [*etag, ("Content-Range", "bytes 5-9/10")], FILE[5:])
        if request.header("Accept-Encoding") == "identity":
            return then(raw(response(200, etag, FILE)[:-5]), close())
        return answer(200, etag, FILE)

    return answer_with(told)


TOKENS: list[TokenGiver] = []


@pytest.fixture(scope="module", autouse=True)
def tokens():
    """A provider of tokens for the kinds that need one."""
    with TokenGiver() as giver:
        TOKENS.append(giver)
        yield
        TOKENS.remove(giver)


def service_at(servers: Servers, kind: Kind, certificates, proxy: HttpProxy, **more: Any) -> dict[str, Any]:
    """The service on the sheet."""
    service: dict[str, Any] = {
        "base_url": servers.home.url, "allow_origins": [servers.elsewhere], "redirects": "same-origin",
        **kind.service, **more,
        "operations": {"go": {"get": "/go/{status}", "path": {"status": "integer"}, **kind.operation}},
    }  # fmt: skip
    tls = {"ca": str(certificates.ca_file)}
    if service.get("tls") == "presented":
        tls |= {"cert": str(certificates.client_cert_file), "key": str(certificates.client_key_file)}
    if "oauth2" in service.get("auth", {}):
        service["auth"] = {"oauth2": service["auth"]["oauth2"] | {"token_url": TOKENS[0].token_url}}
    if "proxy" in service:
        service["proxy"] = f"http://ada:{CANARY}@127.0.0.1:{proxy.port}"
    return service | {"tls": tls}


def revealing(request) -> set[str]:
    """What a request has beside what it wants: field names, `query`."""
    fields = {name.lower() for name, value in request.headers if CANARY in value}
    fields |= {name.lower() for name, _ in request.headers} - HARMLESS - {"host"}
    return fields | ({"query"} if "?" in request.target else set()) | ({"body"} if request.body else set())


@pytest.fixture
def proxy(tmp_path, monkeypatch):
    """One that wants a password; and a `.netrc` for every machine there is."""
    netrc = tmp_path / "netrc"
    netrc.write_text(f"default login ada password {CANARY}\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with HttpProxy(f"ada:{CANARY}") as proxy:
        yield proxy


@pytest.mark.parametrize("name", KINDS)
def test_nothing_that_proves_who_we_are_goes_to_another_origin(world, servers, certificates, proxy, tmp_path, name):
    kind = KINDS[name]
    service = service_at(servers, kind, certificates, proxy)
    shop = world(Sheet(services={"shop": service}, variables={"CANARY": CANARY}))
    arguments = dict(kind.arguments)
    for status in STATUSES:
        assert shop.do("call", "go", status=status, **arguments).content == FILE
    linked = shop.do("get", "/page").links["next"]["url"]
    assert shop.do("get", linked).content == FILE
    assert shop.do("get", f"{servers.elsewhere}/file").content == FILE
    resumed(tmp_path / "file", lambda to: shop.do("download", "/go/302", to=to, resume=True))
    resumed(tmp_path / "file", lambda to: shop.do("download", f"{servers.elsewhere}/file", to=to, resume=True))
    at_home, elsewhere = servers.home.requests, servers.other.requests
    assert len(elsewhere) == len(STATUSES) + 2 + 2 * 2
    is_known = any(revealing(each) for each in at_home) or any(servers.home.ledger.clients) or proxy.requests
    assert is_known or (name, urlsplit(servers.home.url).scheme) == ("client certificate", "http")
    assert [revealing(each) for each in elsewhere] == [set()] * len(elsewhere)
    assert not any(servers.other.ledger.clients)
    assert not any("theirs" in (each.header("Cookie") or "") for each in at_home)
    arrived = b"".join(each.head + each.body for each in elsewhere)
    assert not [known for known in (CANARY, token_for(CANARY)) if known.encode() in arrived]


def resumed(target, download) -> None:
    """Download a file that breaks off, and the rest of it."""
    target.unlink(missing_ok=True)
    with pytest.raises(NoAnswer):
        download(target)
    assert download(target).resumed_at == 5
    assert target.read_bytes() == FILE


@pytest.mark.parametrize("name", ["bearer", "jwt", "cookie jar", "client certificate"])
def test_an_origin_that_nobody_allows_gets_nothing_at_all(world, servers, certificates, proxy, name):
    service = service_at(servers, KINDS[name], certificates, proxy, allow_origins=[])
    shop = world(Sheet(services={"shop": service}))
    for status in STATUSES:
        assert shop.do("call", "go", status=status).status_code == status
    with pytest.raises(OriginRefused, match="allow_origins"):
        shop.do("get", f"{servers.elsewhere}/file")
    assert servers.other.connections == 0
