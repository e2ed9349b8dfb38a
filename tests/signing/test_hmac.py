"""HMAC signatures, checked by servers that know nothing of Callsheet but what the guide says."""

import base64
import hashlib
import hmac
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.auth.hmac_signing import HMACSigner
from callsheet.auth.kept_key import shared_secret
from callsheet.errors import ArgumentError, AuthError, Forbidden, ServerError
from callsheet.http.body import Content
from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.secret import Secret
from tests.auth.test_jwt import rotated
from tests.kept import kept
from tests.servers import ScriptedServer, answer, answer_with
from tests.signing.sheets import SECRET, sheet_of

HMAC = {"hmac": {"key": "${KEY}", "nonce_header": "X-Nonce"}}
NOW = 1_772_366_400


def checking(check, key=SECRET):
    """A server that answers 403 to what it cannot verify."""
    return ScriptedServer(answer_with(lambda request: answer(200 if check(request, key.encode()) else 403)))


def hexed(key, *parts, name="sha256"):
    return hmac.new(key, b"\n".join(parts), name).hexdigest()


def by_the_guide(request, key):
    path, _, query = request.target.partition("?")
    told = (request.method, path, query, request.header("X-Timestamp"), request.header("X-Nonce"))
    expected = hexed(key, *(part.encode() for part in told), request.body)
    return hmac.compare_digest(expected, request.header("X-Signature"))


SENT = [
    ("call", ("get", {"id": "7"}), {}),
    ("call", ("get", {"id": "ü+ %/ä"}), {}),
    ("get", ("/x",), {"params": {"q": "a b+c&d", "r": ["1", "2"]}}),
    ("get", ("/a%2fb//c?x=%7e&y",), {}),
    ("post", ("/x",), {"json": {"name": "Ada"}}),
    ("post", ("/x",), {}),
    ("post", ("/x",), {"content": b"\0\xff\n"}),
    ("put", ("/x",), {"data": {"a": "1"}}),
    ("put", ("/x",), {"content": io.BytesIO}),
    ("post", ("/x",), {"files": {"f": b"content"}}),
    ("delete", ("/x",), {}),
]


@pytest.mark.parametrize(("how", "what", "options"), SENT)
def test_a_real_server_verifies_what_it_got(world, how, what, options):
    options = {name: value(b"from a file") if value is io.BytesIO else value for name, value in options.items()}
    with checking(by_the_guide) as server:
        assert world(sheet_of(HMAC, server.url + "/v1")).do(how, *what, **options).status_code == 200


def test_and_refuses_another_key(world):
    with checking(by_the_guide, key="another") as server, pytest.raises(Forbidden):
        world(sheet_of(HMAC, server.url)).do("get", "/x")


def test_the_body_is_signed_as_it_is_sent(world):
    with checking(by_the_guide) as server:
        client = world(sheet_of(HMAC, server.url, compress="gzip"))
        client.do("post", "/x", json={"name": "Ada" * 100})
        client.do("put", "/x", content=io.BytesIO(b"a" * 5000))
        assert [request.header("Content-Encoding") for request in server.requests] == ["gzip", "gzip"]


def test_a_changed_body_path_or_time_does_not_verify(world):
    with ScriptedServer() as server:
        world(sheet_of(HMAC, server.url)).do("post", "/x", json={"price": 1})
        (request,) = server.requests
    assert by_the_guide(request, SECRET.encode())
    for change in ({"body": b'{"price":2}'}, {"target": "/y"}, {"method": "PUT"}):
        changed = type("Changed", (), {**vars_of(request), **change})()
        changed.header = request.header
        assert not by_the_guide(changed, SECRET.encode())


def vars_of(request):
    return {name: getattr(request, name) for name in ("method", "target", "body")}


def github(request, key):
    expected = "sha256=" + hmac.new(key, request.body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, request.header("X-Hub-Signature-256"))


def shopify(request, key):
    expected = base64.b64encode(hmac.new(key, request.body, hashlib.sha256).digest()).decode()
    return hmac.compare_digest(expected, request.header("X-Shopify-Hmac-Sha256"))


def stripe(request, key):
    found = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})", request.header("Stripe-Signature"))
    return found and hmac.compare_digest(
        found[2], hmac.new(key, f"{found[1]}.".encode() + request.body, "sha256").hexdigest()
    )


def slack(request, key):
    base = f"v0:{request.header('X-Slack-Request-Timestamp')}:".encode() + request.body
    return request.header("X-Slack-Signature") == "v0=" + hmac.new(key, base, "sha256").hexdigest()


def coinbase(request, key):
    base = request.header("CB-ACCESS-TIMESTAMP") + request.method + request.target
    signed = hmac.new(key, base.encode() + request.body, "sha256").digest()
    return request.header("CB-ACCESS-SIGN") == base64.b64encode(signed).decode()


def exchange(request, key):
    moment = request.header("OK-TIME")
    base = moment + request.method + request.target
    signed = base64.b64encode(hmac.new(key, base.encode() + request.body, "sha512").digest()).decode()
    return re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", moment) and request.header("OK-SIGN") == signed


def digested(request, key):
    parts = (request.header("Host"), request.header("Content-Type"), hashlib.sha256(request.body).hexdigest())
    return request.header("X-Signature") == hexed(key, *(part.encode() for part in parts), name="sha384")


LAYOUTS = {
    github: {"header": "X-Hub-Signature-256", "value": "sha256={signature}", "components": ["body"]},
    shopify: {"header": "X-Shopify-Hmac-Sha256", "encoding": "base64", "components": ["body"]},
    stripe: {
        "header": "Stripe-Signature",
        "value": "t={timestamp},v1={signature}",
        "components": ["timestamp", "body"],
        "separator": ".",
    },
    slack: {
        "header": "X-Slack-Signature",
        "value": "v0={signature}",
        "timestamp_header": "X-Slack-Request-Timestamp",
        "components": ["text:v0", "timestamp", "body"],
        "separator": ":",
    },
    coinbase: {
        "header": "CB-ACCESS-SIGN",
        "timestamp_header": "CB-ACCESS-TIMESTAMP",
        "encoding": "base64",
        "separator": "",
        "components": ["timestamp", "method", "target", "body"],
    },
    exchange: {
        "header": "OK-SIGN",
        "timestamp_header": "OK-TIME",
        "timestamp": "iso",
        "encoding": "base64",
        "algorithm": "sha512",
        "separator": "",
        "components": ["timestamp", "method", "target", "body"],
    },
    digested: {"algorithm": "sha384", "components": ["host", "header:Content-Type", "body_sha256"]},
}


@pytest.mark.parametrize("check", LAYOUTS, ids=lambda check: check.__name__)
def test_layouts_that_services_have(world, check):
    with checking(check) as server:
        client = world(sheet_of({"hmac": {"key": "${KEY}", **LAYOUTS[check]}}, server.url))
        assert client.do("post", "/x?a=1", json={"name": "Ada"}).status_code == 200


def test_a_key_in_base64_or_hex(world):
    for encoding, written in (("base64", base64.b64encode(SECRET.encode()).decode()), ("hex", SECRET.encode().hex())):
        sign = {"hmac": {**HMAC["hmac"], "key_encoding": encoding}}
        with checking(by_the_guide) as server:
            sheet = sheet_of(sign, server.url, variables={"KEY": written})
            assert world(sheet).do("get", "/x").status_code == 200


def test_each_attempt_has_its_own_time_and_nonce(shop, clock):
    client = shop(HMAC)
    client.fake.on("GET", "/down").respond(503)
    with pytest.raises(ServerError):
        client.do("get", "/down")
    sent = client.fake.calls
    assert len(sent) == 3
    assert len({call.headers["X-Nonce"] for call in sent}) == 3
    assert len({call.headers["X-Signature"] for call in sent}) == 3
    times = [int(call.headers["X-Timestamp"]) for call in sent]
    assert times == sorted(times)
    assert times[0] == NOW
    assert [int(NOW + call.at) for call in sent] == times


def test_a_hop_is_signed_for_its_own_url(world):
    def script(request):
        if not by_the_guide(request, SECRET.encode()):
            return answer(403)
        return answer(307, {"Location": "/moved?to=there"}) if request.target == "/x" else answer(200)

    with ScriptedServer(answer_with(script)) as server:
        client = world(sheet_of(HMAC, server.url, redirects="same-origin"))
        assert client.do("post", "/x", json={"a": 1}).status_code == 200
        nonces = {request.header("X-Nonce") for request in server.requests}
        assert len(nonces) == len(server.requests) == 2


def test_what_others_put_in_is_there_to_be_signed(shop, clock):
    names = ["authorization", "cookie", "idempotency-key", "x-deadline-ms", "content-type", "content-length", "host"]
    sign = {"hmac": {"key": "${KEY}", "components": [f"header:{name}" for name in names]}}
    auth = {"jwt": {"secret": "${KEY}"}}
    client = shop(sign, auth=auth, cookies=True, idempotency_key=True, deadline_header="X-Deadline-Ms")
    client.do("post", "/x", json={"a": 1}, headers={"Cookie": "a=b"})
    (call,) = client.fake.calls
    assert call.headers["X-Signature"] == hexed(SECRET.encode(), *(call.headers[name].encode() for name in names))


def test_a_header_that_is_not_there_is_told_before_anything_is_sent(shop):
    client = shop({"hmac": {"key": "${KEY}", "components": ["header:X-Tenant", "body"]}})
    with pytest.raises(ArgumentError, match="no header `X-Tenant`") as caught:
        client.do("get", "/x")
    assert not caught.value.was_sent
    assert client.fake.calls == []
    client.do("get", "/x", headers={"X-Tenant": "t"})
    assert len(client.fake.calls) == 1


def test_what_can_be_read_only_once_is_refused_where_the_body_is_signed(shop):
    for sign in (HMAC, {"hmac": {"key": "${KEY}", "components": ["body_sha256"]}}):
        client = shop(sign)
        pieces = iter([b"a", b"b"])
        with pytest.raises(ArgumentError, match="can be read only once; give bytes, a Path or a file"):
            client.do("put", "/x", content=pieces)
        assert client.fake.calls == []
        assert list(pieces) == [b"a", b"b"]
    client = shop({"hmac": {"key": "${KEY}", "components": ["method", "path"]}})
    client.do("put", "/x", content=iter([b"a", b"b"]))
    assert client.fake.calls[-1].content == b"ab"


def test_a_large_file_is_hashed_before_its_slot_and_once_per_call(shop, tmp_path):
    path = tmp_path / "large"
    path.write_bytes(b"x" * 3_000_000)
    client = shop({"hmac": {"key": "${KEY}", "components": ["body_sha256"]}}, retry={"methods": ["PUT"]})
    client.fake.on("PUT", "/down").respond(503)
    with pytest.raises(ServerError):
        client.do("put", "/down", content=path)
    expected = hexed(SECRET.encode(), hashlib.sha256(path.read_bytes()).hexdigest().encode())
    assert {call.headers["X-Signature"] for call in client.fake.calls} == {expected}
    assert len(client.fake.calls) == 3


class Broken(io.BytesIO):
    """A large file on a disk that fails."""

    def read(self, size=-1):
        raise OSError("the disk is gone")


def test_a_large_file_that_cannot_be_read_takes_no_turn(shop):
    client = shop({"hmac": {"key": "${KEY}", "components": ["body_sha256"]}})
    with pytest.raises(ArgumentError, match="the disk is gone") as caught:
        client.do("put", "/x", content=Broken(b"x" * 2_000_000))
    assert caught.value.stopped_by == "sign"
    assert client.fake.calls == []


def test_an_operation_may_be_unsigned(shop):
    client = shop(HMAC)
    client.do("call", "plain")
    assert "X-Signature" not in client.fake.calls[-1].headers


def test_a_mounted_key_that_changes_signs_what_comes_next(shop, tmp_path):
    path = tmp_path / "key"
    path.write_text(SECRET)
    client = shop({"hmac": {"key": "${file:key}", "components": ["path"]}}, folder=tmp_path)
    client.do("get", "/x")
    for text, key in (("short", SECRET), ("another-secret-of-some-length", "another-secret-of-some-length")):
        rotated(path, text)
        for part in client.service._maker.plans.settings.sign.options["key"]._parts:
            part._looked -= 2.0
        client.do("get", "/x")
        assert client.fake.calls[-1].headers["X-Signature"] == hexed(key.encode(), b"/x")


def test_a_mounted_secret_is_sent_as_it_was_signed(shop, tmp_path):
    (tmp_path / "token").write_text("first")
    sign = {"hmac": {"key": "${KEY}", "components": ["header:Authorization"]}}
    client = shop(sign, folder=tmp_path, auth={"bearer": "${file:token}"})
    signer = kept(client.service._maker.plans.scope, "sign")
    mounted = iter(["first", "second"])
    signed = signer.signed(
        Request("GET", "https://h/", Headers([("Authorization", Secret(lambda: next(mounted)))])), 0.0
    )
    values = [value if isinstance(value, str) else value.reveal() for _, value in signed.headers.fields]
    assert values == ["first", hexed(SECRET.encode(), b"first")]


def test_a_key_that_never_was_one_is_an_auth_error():
    options = {
        "key": Secret(lambda: "short"),
        "key_encoding": "text",
        "components": ("path",),
        "timestamp": "seconds",
        "algorithm": "sha256",
    }
    signer = HMACSigner(options, new_nonce=lambda: "n")
    with pytest.raises(AuthError, match="too short"):
        signer.signed(Request("GET", "https://h/x", Headers()), 0.0)


def test_keys_below_128_bits_are_refused():
    assert shared_secret(Secret("x" * 16), "text", 16) == b"x" * 16
    assert shared_secret(Secret("x" * 15), "text", 16).message == "too short: at least 16 bytes are needed"


@given(
    method=st.sampled_from(["GET", "POST"]),
    path=st.text("abc/%~é+", max_size=8),
    body=st.binary(max_size=20),
    separator=st.sampled_from(["\n", "", "."]),
)
def test_the_signed_bytes_are_the_components_joined(method, path, body, separator):
    url = "https://h/" + path.replace("é", "%C3%A9").replace("%~", "%7E")
    options = {
        "key": Secret(SECRET),
        "key_encoding": "text",
        "components": ("method", "url", "timestamp", "nonce", "body", "text:end"),
        "separator": separator,
        "timestamp": "milliseconds",
        "algorithm": "sha256",
        "header": "X-S",
        "value": "{signature}",
        "encoding": "hex",
    }
    signer = HMACSigner(options, new_nonce=lambda: "n0")
    signed = signer.signed(Request(method, url, Headers(), Content(body)), 1.5)
    expected = separator.encode().join([method.encode(), url.encode(), b"1500", b"n0", body, b"end"])
    assert signed.headers.fields[-1][1].reveal() == hmac.new(SECRET.encode(), expected, "sha256").hexdigest()
