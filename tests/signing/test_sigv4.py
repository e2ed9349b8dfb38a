"""AWS Signature Version 4: the examples that AWS publishes, and a verifier written from its documentation."""

import hashlib
import hmac
import io
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet import Sheet
from callsheet.auth.aws import AWSSigner
from callsheet.errors import ArgumentError
from callsheet.http.body import Content
from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.http.streamed_body import body_from
from callsheet.secret import Secret
from tests.servers import ScriptedServer, answer
from tests.signing.sheets import sheet_of

IAM_SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
S3_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
IN_2015 = 1_440_938_160.0
IN_2013 = 1_369_353_600.0
S3_HOST = "https://examplebucket.s3.amazonaws.com"
SUITE = "https://example.amazonaws.com"
WRITTEN = {"access_key": "AKIDEXAMPLE", "secret_key": "${AWS_SECRET}"}


def signer_of(service, access_key="AKIDEXAMPLE", secret=IAM_SECRET, payload="auto", **more):
    keys = {"access_key": Secret(access_key), "secret_key": Secret(secret)}
    credentials = keys | {name: Secret(value) for name, value in more.items()}
    options = {"service": service, "region": "us-east-1", "credentials": credentials, "payload": payload}
    return AWSSigner(options, wall_clock=lambda: 0.0)


def proof(signed):
    """SignedHeaders and Signature."""
    (value,) = [value for name, value in signed.headers.fields if name == "Authorization"]
    scheme, _, rest = value.reveal().partition(" ")
    assert scheme == "AWS4-HMAC-SHA256"
    parts = dict(part.split("=", 1) for part in rest.split(", "))
    return parts["SignedHeaders"], parts["Signature"], parts["Credential"]


PUBLISHED = [
    (
        "iam", "GET", "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08",
        {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}, None, "content-type;host;x-amz-date",
        "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
    ),
    (
        "service", "GET", f"{SUITE}/", {}, None, "host;x-amz-date",
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ),
    (
        "service", "GET", f"{SUITE}/?Param2=value2&Param1=value1", {}, None, "host;x-amz-date",
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ),
    (
        "service", "POST", f"{SUITE}/", {}, None, "host;x-amz-date",
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    ),
    (
        "s3", "GET", f"{S3_HOST}/test.txt", {"Range": "bytes=0-9"}, None,
        "host;range;x-amz-content-sha256;x-amz-date",
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    ),
    (
        "s3", "PUT", f"{S3_HOST}/test$file.text",
        {"Date": "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY"}, b"Welcome to Amazon S3.",
        "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
    ),
    (
        "s3", "GET", f"{S3_HOST}/?lifecycle", {}, None, "host;x-amz-content-sha256;x-amz-date",
        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
    ),
    (
        "s3", "GET", f"{S3_HOST}/?max-keys=2&prefix=J", {}, None, "host;x-amz-content-sha256;x-amz-date",
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("service", "method", "url", "fields", "body", "names", "signature"), PUBLISHED)
def test_the_examples_that_aws_publishes(service, method, url, fields, body, names, signature):
    is_s3 = service == "s3"
    signer = signer_of(service, *(("AKIAIOSFODNN7EXAMPLE", S3_SECRET) if is_s3 else ()))
    request = Request(method, url, Headers(fields), None if body is None else Content(body))
    signed = signer.signed(request, IN_2013 if is_s3 else IN_2015)
    assert proof(signed)[:2] == (names, signature)
    assert signed.wire_url == url


def canonical(request, names, payload):
    """The canonical request, as the documentation of AWS has it, of what a server got."""
    path, _, query = request.target.partition("?")
    pairs = sorted(
        (encoded(name.replace("+", " ")), encoded(value.replace("+", " ")))
        for name, _, value in (pair.partition("=") for pair in query.split("&") if pair)
    )
    fields = [f"{name}:{' '.join(','.join(request_values(request, name)).split())}" for name in names]
    return "\n".join([
        request.method,
        path,
        "&".join(f"{name}={value}" for name, value in pairs),
        *fields,
        "",
        ";".join(names),
        payload,
    ])  # fmt: skip


def request_values(request, wanted):
    return [value for name, value in request.headers if name.lower() == wanted]


def encoded(text, safe=""):
    allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~" + safe
    return "".join(chr(octet) if chr(octet) in allowed else f"%{octet:02X}" for octet in unquote_to_bytes(text))


def twice_encoded(path):
    allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~/"
    return "".join(chr(octet) if chr(octet) in allowed else f"%{octet:02X}" for octet in path.encode())


class Got:
    """What a server gets of a request."""

    def __init__(self, signed, path):
        self.method = signed.method
        target = signed.wire_url.partition("://")[2]
        self.target = path + (f"?{target.partition('?')[2]}" if "?" in target else "")
        values = [(name, value if isinstance(value, str) else value.reveal()) for name, value in signed.headers.fields]
        self.headers = [*values, ("Host", target.partition("/")[0].partition("?")[0])]


def expected(canonical_request, moment, region, service, secret):
    scope = f"{moment[:8]}/{region}/{service}/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(canonical_request.encode()).hexdigest()])
    key = b"AWS4" + secret.encode()
    for part in (moment[:8], region, service, "aws4_request", text):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key.hex()


segments = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), min_size=1, max_size=5)


@given(
    path=st.lists(segments, min_size=1, max_size=3),
    pairs=st.lists(st.tuples(segments, segments), max_size=3),
    fields=st.dictionaries(
        st.from_regex(r"\AX-[a-z]{1,4}\Z"), st.from_regex(r"\A[!-~]( {0,3}[!-~]){0,4}\Z"), max_size=2
    ),
    body=st.none() | st.binary(max_size=8),
    service=st.sampled_from(["s3", "execute-api"]),
)
def test_what_is_signed_is_what_the_documentation_says(path, pairs, fields, body, service):
    from urllib.parse import quote

    if any(step in (".", "..") for step in path):
        return
    wire_path = "/" + "/".join(quote(step, safe="") for step in path)
    query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)
    url = f"https://h.test:8443{wire_path}" + (f"?{query}" if query else "")
    request = Request("PUT", url, Headers(tuple(fields.items())), None if body is None else Content(body))
    signed = signer_of(service).signed(request, IN_2015)
    names, signature, credential = proof(signed)
    assert credential == f"AKIDEXAMPLE/20150830/us-east-1/{service}/aws4_request"
    seen_path = encoded(wire_path, "/") if service == "s3" else twice_encoded(wire_path)
    text = canonical(Got(signed, seen_path), names.split(";"), hashlib.sha256(body or b"").hexdigest())
    assert signature == expected(text, "20150830T123600Z", "us-east-1", service, IAM_SECRET)
    assert {name.lower() for name in fields} <= set(names.split(";"))


@pytest.mark.parametrize(
    ("url", "canonical_path", "canonical_query"),
    [
        ("https://h/a+b@c,d", "/a%2Bb%40c%2Cd", ""),
        ("https://h/a%2fb%7e//c", "/a/b~//c", ""),
        ("https://h?acl", "/", "acl="),
        ("https://h/?b=2&a=%20+&a=1", "/", "a=%20%20&a=1&b=2"),
    ],
)
def test_other_spellings_are_signed_as_s3_spells_them(url, canonical_path, canonical_query):
    signed = signer_of("s3").signed(Request("GET", url, Headers()), IN_2015)
    got = Got(signed, canonical_path)
    names, signature, _ = proof(signed)
    text = canonical(got, names.split(";"), hashlib.sha256().hexdigest())
    assert text.split("\n")[1:3] == [canonical_path, canonical_query]
    assert signature == expected(text, "20150830T123600Z", "us-east-1", "s3", IAM_SECRET)


def test_a_session_token_is_sent_and_signed():
    signed = signer_of("iam", session_token="token-canary-123").signed(Request("GET", "https://h/", Headers()), IN_2015)
    values = dict(signed.headers.fields)
    assert values["X-Amz-Security-Token"].reveal() == "token-canary-123"
    assert "x-amz-security-token" in proof(signed)[0]
    assert "token-canary-123" not in repr(signed.headers)
    assert proof(signed)[1] not in repr(signed.headers)


def test_another_credential_in_its_place_is_refused():
    request = Request("GET", "https://h/", Headers({"Authorization": "Bearer x"}))
    with pytest.raises(ArgumentError, match="has a header `Authorization`, where the signature of AWS belongs"):
        signer_of("iam").signed(request, IN_2015)


def test_what_may_change_on_its_way_is_not_signed():
    fields = {"User-Agent": "x", "Accept-Encoding": "gzip", "X-Name": "Zoë", "X-Plain": "a"}
    assert (
        proof(signer_of("iam").signed(Request("GET", "https://h/", Headers(fields)), IN_2015))[0]
        == "host;x-amz-date;x-plain"
    )


PAYLOADS = [
    ("s3", "https", "auto", "UNSIGNED-PAYLOAD"),
    ("s3", "https", "signed", hashlib.sha256(b"abc").hexdigest()),
    ("s3", "http", "auto", hashlib.sha256(b"abc").hexdigest()),
    ("execute-api", "https", "auto", None),
    ("glacier", "https", "auto", hashlib.sha256(b"abc").hexdigest()),
]


@pytest.mark.parametrize(("service", "scheme", "payload", "told"), PAYLOADS)
def test_what_is_said_of_a_body_that_is_read_as_it_is_sent(service, scheme, payload, told):
    request = Request("PUT", f"{scheme}://h/x", Headers(), body_from(io.BytesIO(b"abc")))
    signed = signer_of(service, payload=payload).signed(request, IN_2015)
    assert signed.headers.get("X-Amz-Content-SHA256") == told
    with pytest.raises(ArgumentError, match="AWS signs the digest of the body, and what comes from an iterator"):
        signer_of("iam").signed(Request("PUT", "https://h/x", Headers(), body_from(iter([b"a"]))), IN_2015)


def test_an_iterator_goes_to_s3_over_tls_only(world, certificates):
    sign = {"aws": {"service": "s3", "region": "eu-central-1", "credentials": WRITTEN}}
    given = {"variables": {"AWS_SECRET": S3_SECRET}, "tls": {"ca": str(certificates.ca_file)}}
    with ScriptedServer(tls=certificates.good()) as server:
        world(sheet_of(sign, server.url, **given)).do("put", "/x", content=iter([b"a", b"b"]))
        (request,) = server.requests
        assert request.header("X-Amz-Content-SHA256") == "UNSIGNED-PAYLOAD"
        assert request.body == b"ab"
    with ScriptedServer() as server:
        pieces = iter([b"a", b"b"])
        with pytest.raises(ArgumentError, match="can be read only once"):
            world(sheet_of(sign, server.url, **given)).do("put", "/x", content=pieces)
        assert server.requests == []
        assert list(pieces) == [b"a", b"b"]


def test_a_header_of_aws_that_cannot_be_signed_is_refused(world):
    options = {"aws": {"service": "s3", "region": "eu-west-1", "credentials": {"access_key": "a", "secret_key": "b"}}}
    with ScriptedServer(answer()) as server:
        client = world(Sheet(services={"shop": {"base_url": server.url, "sign": options}}))
        with pytest.raises(ArgumentError, match="x-amz-meta-name"):
            client.do("put", "/x", content=b"", headers={"x-amz-meta-name": "Z\xfcrich"})
        assert server.requests == []
