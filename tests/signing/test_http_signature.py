"""HTTP Message Signatures: the vectors of RFC 9421, and servers that verify by a library nobody here wrote."""

import base64
import hashlib
import io
import time
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from http_message_signatures import HTTPMessageSigner, HTTPMessageVerifier, HTTPSignatureKeyResolver, InvalidSignature
from http_message_signatures import algorithms as library
from hypothesis import given
from hypothesis import strategies as st

from callsheet.auth.components import target_of
from callsheet.auth.http_signature import ALGORITHMS, HTTPSignature, signature_key
from callsheet.errors import ArgumentError, ServerError
from callsheet.http.body import Content
from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.secret import Secret
from tests.auth.keys import pair
from tests.kept import kept
from tests.servers import ScriptedServer, answer, answer_with
from tests.signing import rfc9421
from tests.signing.sheets import SECRET, sheet_of

PAIRS = {
    "ed25519": "EdDSA",
    "ecdsa-p256-sha256": "ES256",
    "ecdsa-p384-sha384": "ES384",
    "rsa-pss-sha512": "RSA",
    "rsa-v1_5-sha256": "RSA",
}
DEFAULTS = {"label": "sig1", "nonce": False, "tells_algorithm": False, "key_encoding": "text"}


def keys_of(algorithm):
    return (SECRET, SECRET) if algorithm == "hmac-sha256" else pair(PAIRS[algorithm])


def signing(algorithm="ed25519", **options):
    return {"http_signature": {"key": "${KEY}", "key_id": "key-1", "algorithm": algorithm, **options}}


class Resolver(HTTPSignatureKeyResolver):
    def __init__(self, key):
        self.key = key

    def resolve_public_key(self, key_id):
        assert key_id == "key-1"
        return self.key


class Message(NamedTuple):
    method: str
    url: str
    headers: dict


def verified(request, scheme="http", algorithm="ed25519", key=None):
    """What a server finds out; raises InvalidSignature."""
    key = keys_of(algorithm)[1] if key is None else key
    verifier = HTTPMessageVerifier(
        signature_algorithm=getattr(library, ALGORITHMS[algorithm]), key_resolver=Resolver(key.encode())
    )
    message = Message(request.method, f"{scheme}://{request.header('Host')}{request.target}", dict(request.headers))
    needs_body = bool(request.body) or request.header("Content-Digest") is not None
    (result,) = verifier.verify(message, body=request.body if needs_body else None)
    return result


def checking(**options):
    def check(request):
        try:
            verified(request, **options)
        except InvalidSignature:
            return answer(403)
        return answer(200)

    return ScriptedServer(answer_with(check))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_verifies_on_a_real_server(world, algorithm):
    with checking(algorithm=algorithm) as server:
        client = world(sheet_of(signing(algorithm), server.url, variables={"KEY": keys_of(algorithm)[0]}))
        assert client.do("call", "get", {"id": "ü /"}).status_code == 200
        assert client.do("post", "/x", params={"a": "b c"}, json={"name": "Ada"}).status_code == 200
        result = verified(server.requests[1], algorithm=algorithm)
    covered = [name.strip('"') for name in result.covered_components]
    assert covered == ["@method", "@authority", "@path", "@query", "content-digest", "@signature-params"]
    assert result.parameters["alg"] == algorithm
    assert result.parameters["keyid"] == "key-1"
    assert len(result.nonce) == 32
    assert result.label == "sig1"


def test_another_key_and_another_body_do_not_verify(world):
    with checking() as server:
        client = world(sheet_of(signing(), server.url, variables={"KEY": pair("another EdDSA")[0]}))
        assert client.do("get", "/x", raise_for_status=False).status_code == 403
        client = world(sheet_of(signing(), server.url, variables={"KEY": pair("EdDSA")[0]}))
        client.do("post", "/x", json={"price": 1})
        request = server.requests[-1]
    object.__setattr__(request, "body", b'{"price":2}')
    with pytest.raises(InvalidSignature):
        verified(request)


def test_every_body_has_its_digest(world, tmp_path):
    (tmp_path / "file").write_bytes(b"f" * 2_000_000)
    bodies = [
        {"json": {"a": 1}},
        {"content": b"\0"},
        {"content": tmp_path / "file"},
        {"content": io.BytesIO(b"seekable")},
        {"files": {"f": (tmp_path / "file")}},
        {"data": {"a": "b"}},
    ]
    with checking() as server:
        sheet = sheet_of(signing(), server.url, variables={"KEY": pair("EdDSA")[0]}, compress="gzip")
        client = world(sheet)
        for body in bodies:
            assert client.do("put", "/x", **body).status_code == 200
        for request in server.requests:
            digest = base64.b64encode(hashlib.sha256(request.body).digest()).decode()
            assert request.header("Content-Digest") == f"sha-256=:{digest}:"
            assert request.header("Content-Encoding") == "gzip"


def test_components_of_every_kind(world):
    components = [
        *("@method", "@target-uri", "@authority", "@scheme", "@request-target", "@path", "@query"),
        '"@query-param";name="q"',
        *("host", "content-length", "content-type", "authorization", "x-list"),
        *('"x-map";key="b"', '"accept";sf', "content-digest"),
    ]
    with checking() as server:
        sign = signing(components=components, label="first", tag="shop")
        sheet = sheet_of(sign, server.url, variables={"KEY": pair("EdDSA")[0]}, auth={"bearer": "a-token-1234"})
        headers = {"X-List": "a,  b", "X-Map": "a=1,   b=2;c", "Accept": "text/html ,  */*"}
        assert world(sheet).do("post", "/p%7e//?q=a%20b&z", json={}, headers=headers).status_code == 200
        result = verified(server.requests[0])
    assert result.parameters["tag"] == "shop"
    assert result.covered_components['"@request-target"'] == "/p%7e//?q=a%20b&z"
    assert result.covered_components['"x-map";key="b"'] == "2;c"


def test_an_authority_that_is_written_is_told_as_all_others_are(shop):
    sign = signing("hmac-sha256", components=["@authority", "host"], nonce=False)
    client = shop(sign)
    base = kept(client.service._maker.plans.scope, "sign").base
    request = Request("GET", "https://10.0.0.1/", Headers({"Host": "Shop.test:443"}))
    lines = base(request, ("@authority", "host"), 0).text.decode().splitlines()
    assert lines[:2] == ['"@authority": shop.test', '"host": Shop.test:443']


def test_over_tls(world, certificates):
    with ScriptedServer(tls=certificates.good()) as server:
        sign = signing(components=["@target-uri", "@scheme", "@authority"])
        sheet = sheet_of(sign, server.url, variables={"KEY": pair("EdDSA")[0]}, tls={"ca": str(certificates.ca_file)})
        world(sheet).do("get", "/x")
        result = verified(server.requests[0], scheme="https")
    assert result.covered_components['"@target-uri"'] == f"{server.url}/x"


@pytest.mark.parametrize("name", rfc9421.VECTORS)
def test_the_vectors_of_the_rfc(name):
    algorithm, key_id, components, parameters, signature = rfc9421.VECTORS[name]
    options = {
        **DEFAULTS,
        "key": Secret(rfc9421.KEYS[algorithm]),
        "key_id": key_id,
        "algorithm": algorithm,
        "components": components,
        "nonce": "nonce" in parameters,
        "key_encoding": "base64" if algorithm == "hmac-sha256" else "text",
        **({"tag": parameters["tag"]} if "tag" in parameters else {}),
    }
    signer = HTTPSignature(options, new_nonce=lambda: parameters["nonce"])
    request = Request("POST", rfc9421.URL, Headers(rfc9421.FIELDS), Content(rfc9421.BODY))
    if algorithm == "rsa-pss-sha512":
        base = signer.base(request, components, rfc9421.CREATED)
        public = load_pem_private_key(rfc9421.RSA_PSS.encode(), None).public_key()
        library.RSA_PSS_SHA512(public_key=public).verify(base64.b64decode(signature), base.text)
        return
    signed = signer.signed(request, rfc9421.CREATED + 0.9)
    assert signed.headers.fields[-1][1].reveal() == f"sig1=:{signature}:"


def test_a_digest_that_the_caller_gives_stays(shop):
    client = shop(signing(components=["content-digest"]), variables={"KEY": pair("EdDSA")[0]})
    given = dict(rfc9421.FIELDS)["Content-Digest"]
    client.do("post", "/x", content=rfc9421.BODY, headers={"Content-Digest": given})
    assert client.fake.calls[0].headers["Content-Digest"] == given
    client.do("get", "/x")
    empty = base64.b64encode(hashlib.sha256().digest()).decode()
    assert client.fake.calls[1].headers["Content-Digest"] == f"sha-256=:{empty}:"


def test_times_and_nonces_are_those_of_the_attempt(shop, clock):
    client = shop(signing("hmac-sha256", expires="5m"))
    client.fake.on("GET", "/down").respond(503)
    with pytest.raises(ServerError):
        client.do("get", "/down")
    inputs = [call.headers["Signature-Input"] for call in client.fake.calls]
    assert len(set(inputs)) == 3
    for call, told in zip(client.fake.calls, inputs, strict=True):
        created = int(clock.wall() - clock.now() + call.at)
        assert f";created={created};" in told
        assert f";expires={created + 300};" in told


REFUSED = [
    (["x-missing"], {}, "x-missing"),
    (['"@query-param";name="q"'], {}, "q"),
    (['"x-map";key="c"'], {"X-Map": "a=1"}, 'no member "c"'),
    (['"x-map";key="c"'], {"X-Map": "not , a = dictionary"}, "not a Dictionary"),
    (["x-latin"], {"X-Latin": "é"}, "outside ASCII"),
]


@pytest.mark.parametrize(("components", "headers", "told"), REFUSED)
def test_what_cannot_be_signed_is_told_before_anything_is_sent(shop, components, headers, told):
    client = shop(signing("hmac-sha256", components=components))
    with pytest.raises(ArgumentError, match="the request cannot be signed") as caught:
        client.do("get", "/x", headers=headers)
    assert told in str(caught.value)
    assert not caught.value.was_sent
    assert client.fake.calls == []


def test_an_iterator_is_sent_where_its_digest_is_not_covered(shop):
    client = shop(signing("hmac-sha256"))
    with pytest.raises(ArgumentError, match="covers `content-digest`, and what comes from an iterator"):
        client.do("put", "/x", content=iter([b"a"]))
    assert client.fake.calls == []
    client = shop(signing("hmac-sha256", components=["@method", "@path"]))
    client.do("put", "/x", content=iter([b"a"]))
    assert client.fake.calls[0].content == b"a"
    assert "Content-Digest" not in client.fake.calls[0].headers


UNFIT = [
    ("ed25519", "ES256", "no Ed25519 key"),
    ("ed25519", "Ed448", "no Ed25519 key"),
    ("ecdsa-p256-sha256", "ES384", "no key on the curve P-256"),
    ("ecdsa-p384-sha384", "RSA", "no key on the curve P-384"),
    ("rsa-pss-sha512", "EdDSA", "no RSA key"),
    ("rsa-pss-sha512", "RSA-1024", "an RSA key of 1024 bits"),
]


@pytest.mark.parametrize(("algorithm", "kind", "message"), UNFIT)
def test_a_key_of_another_kind_does_not_fit(algorithm, kind, message):
    assert signature_key(algorithm, Secret(pair(kind)[0])).message.startswith(message)
    assert "public key" in signature_key(algorithm, Secret(pair("EdDSA")[1])).message


def test_a_weak_or_misplaced_secret_does_not_fit():
    assert signature_key("hmac-sha256", Secret("x" * 31)).message == "too short: at least 32 bytes are needed"
    assert "a key in PEM" in signature_key("hmac-sha256", Secret(pair("EdDSA")[0])).message
    assert signature_key("hmac-sha256", Secret("x" * 32)) == b"x" * 32


names = st.text("abcdefgh0123456789-", min_size=1, max_size=8).map(lambda name: f"x-{name}")
values = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12).map(str.strip)


@given(
    fields=st.dictionaries(names, values, max_size=3),
    path=st.text("abc/-._~!$&'()*+,;=:@", max_size=10),
    query=st.none() | st.text("abc/?=&-._~", max_size=10),
    body=st.none() | st.binary(max_size=10),
)
def test_whatever_is_signed_verifies(fields, path, query, body):
    options = {**DEFAULTS, "key": Secret(SECRET), "key_id": "key-1", "algorithm": "hmac-sha256"}
    covered = ("@method", "@target-uri", "@request-target", "content-digest", *fields)
    signer = HTTPSignature({**options, "components": covered}, new_nonce=str)
    url = f"https://h.test:8443/{path}" + ("" if query is None else f"?{query}")
    content = None if body is None else Content(body)
    signed = signer.signed(Request("POST", url, Headers(tuple(fields.items())), content), time.time())
    message = Message("POST", url, {n: v if isinstance(v, str) else v.reveal() for n, v in signed.headers.fields})
    verifier = HTTPMessageVerifier(signature_algorithm=library.HMAC_SHA256, key_resolver=Resolver(SECRET.encode()))
    (result,) = verifier.verify(message, body=body or b"")
    assert len(result.covered_components) == len(covered) + 1


DERIVED = ("@method", "@target-uri", "@authority", "@scheme", "@request-target", "@path", "@query")


@given(
    fields=st.lists(st.tuples(names, values), max_size=3, unique_by=lambda field: field[0]),
    authority=st.sampled_from(["h.test", "h.test:443", "h.test:80", "[::1]:8000"]),
    scheme=st.sampled_from(["http", "https"]),
    path=st.text("abc/-._~!$&'()*+,;=:@", max_size=10),
    query=st.none() | st.text("abc/?=&-._~", max_size=10),
    key_id=st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=8),
    told=st.tuples(st.booleans(), st.booleans(), st.booleans(), st.none() | values.filter(bool)),
)
def test_what_is_signed_is_what_the_library_lays_out(fields, authority, scheme, path, query, key_id, told):
    tells_algorithm, nonce, expires, tag = told
    options = {**DEFAULTS, "key": Secret(SECRET), "key_id": key_id, "algorithm": "hmac-sha256"}
    options |= {"tells_algorithm": tells_algorithm, "nonce": nonce, **({"expires": 60} if expires else {})}
    options |= {} if tag is None else {"tag": tag}
    covered = (*DERIVED, *(name for name, _ in fields))
    url = f"{scheme}://{authority}/{path}" + ("" if query is None else f"?{query}")
    request = Request("POST", url, Headers(tuple(fields)))
    ours = HTTPSignature(options, new_nonce=lambda: "n").base(request, covered, rfc9421.CREATED)
    created = datetime.fromtimestamp(rfc9421.CREATED, UTC)
    theirs = HTTPMessageSigner(signature_algorithm=library.HMAC_SHA256).prepare(
        Message("POST", target_of(request).url, dict(fields)),
        key_id=key_id,
        created=created,
        expires=created + timedelta(seconds=60) if expires else None,
        nonce="n" if nonce else None,
        tag=tag,
        include_alg=tells_algorithm,
        covered_component_ids=covered,
    )
    assert ours == (theirs.signature_base, theirs.signature_params)
