"""What a sheet says of `sign`, and what is said of one that cannot be used."""

import json
from pathlib import Path

import pytest

from callsheet.errors import UsageError
from callsheet.sheet import Sheet
from callsheet.sheet.schema import json_schema
from tests.auth.keys import pair
from tests.docs.fences import fences
from tests.sheet.sheets import errors, operation
from tests.sheet.sheets import shop as written
from tests.signing.sheets import SECRET

GIVEN = {
    "variables": {"KEY": SECRET, "PEM": pair("EdDSA")[0], "PUBLIC": pair("EdDSA")[1], "SHORT": "canary", "ID": "AKID"}
}
HMAC = "sign: {hmac: {key: '${KEY}'%s}}"
HTTP = "sign: {http_signature: {key: '${PEM}', key_id: k, algorithm: ed25519%s}}"
AWS = "sign: {aws: {service: s3, region: eu-central-1%s}}"

WRONG = [
    ("sign: 1", "5:11: `sign` of service `shop`: expected `off`, or a mapping with one kind", ""),
    ("sign: {}", "`sign` of service `shop`: expected one kind, found 0", "`hmac`, `http_signature` or `aws`"),
    ("sign: {hmc: {}}", "unknown key `hmc` in `sign` of service `shop`", "did you mean `hmac`?"),
    ("sign: {sigv4: {}}", "unknown key `sigv4` in `sign`", "did you mean `aws`?"),
    ("sign: {hmac: {key: '${KEY}'}, aws: {service: s3, region: x}}", "expected one kind, found 2", ""),
    ("sign: {hmac: secret}", "`sign.hmac` of service `shop`: expected a mapping of key, key_encoding", ""),
    ("sign: {hmac: {}}", "`sign.hmac` of service `shop`: `key` is missing", ""),
    ("sign: {hmac: {secret: '${KEY}'}}", "unknown key `secret` in `sign.hmac` of service `shop`", "did you mean `key`?"),
    ("sign: {hmac: {key: '${SHORT}'}}", "`sign.hmac.key` of service `shop`: too short: at least 16 bytes", "openssl rand"),
    ("sign: {hmac: {key: '${PEM}'}}", "`sign.hmac.key` of service `shop`: a key in PEM", "http_signature"),
    (HMAC % ", key_encoding: hex", "`sign.hmac.key` of service `shop`: it is not hex", "key_encoding: text"),
    (HMAC % ", algorithm: md5", "expected `sha256`, `sha384` or `sha512`", ""),
    (HMAC % ", components: [metod]", "`sign.hmac.components` of service `shop`: expected `method`, `path`", "did you mean `method`?"),
    (HMAC % ", components: []", "expected a list of components", "such as"),
    (HMAC % ", components: [path, path]", "`path` twice", "remove one"),
    (HMAC % ", components: ['header:no name']", "`header:NAME`", ""),
    (HMAC % ", value: 'sha256='", "expected a text with `{signature}` in it", ""),
    (HMAC % ", value: '{signature} {key}'", "there is no `{key}`", "`{timestamp}`"),
    (HMAC % ", timestamp_header: X-T, components: [body]", "the timestamp is sent and not signed", "add `timestamp`"),
    (HMAC % ", nonce_header: X-N, components: [body]", "the nonce is sent and not signed", "add `nonce`"),
    (HMAC % ", components: [nonce, body]", "the nonce is signed and not sent", "`nonce_header: X-Nonce`"),
    (HMAC % ", header: X-Timestamp", "two of its headers have the same name", "name them apart"),
    (HTTP.replace("${PEM}", "${PUBLIC}") % "", "`sign.http_signature.key` of service `shop`: a public key, and a request is signed", ""),
    (HTTP.replace("ed25519", "rsa-pss-sha512") % "", "no RSA key, which rsa-pss-sha512 needs", "rsa_keygen_bits"),
    (HTTP.replace("ed25519", "ed2551") % "", "expected `ed25519`, `ecdsa-p256-sha256`", ""),
    (HTTP.replace("${PEM}", "${KEY}") % "", "no private key in PEM", "BEGIN PRIVATE KEY"),
    (HTTP % ", key_encoding: base64", "ed25519 takes a key in PEM", "remove it"),
    (HTTP % ", components: ['@metod']", "expected `@method`", "did you mean `@method`?"),
    (HTTP % ", components: [Content-Type]", "the name of a header in lower case", ""),
    (HTTP % ", components: ['@query-param']", "expected `@method`", ""),
    (HTTP % ", label: Sig1", "expected lower-case letters, digits and _-.*", ""),
    (HTTP % ", expires: 0.1", "expected a duration from 1s", ""),
    (HTTP % ", keyid: x", "unknown key `keyid` in `sign.http_signature`", "did you mean `key_id`?"),
    (HTTP.replace("key_id: k", "key_id: ü") % "", "a character outside printable ASCII", "name the key otherwise"),
    ("sign: {http_signature: {key: '${PEM}', algorithm: ed25519}}", "`key_id` is missing", ""),
    ("sign: {aws: {service: s3}}", "`sign.aws` of service `shop`: `region` is missing", ""),
    (AWS % ", credentials: ask", "expected `default`, `{profile: NAME}`, or a mapping of access_key and secret_key", ""),
    (AWS % ", credentials: {access_key: '${ID}'}", "`secret_key` is missing", ""),
    (AWS % ", profile: x", "unknown key `profile` in `sign.aws`", "`credentials: {profile: ...}`"),
    (AWS % "" + "\nauth: {bearer: '${KEY}'}", "5:11: `sign` of service `shop`: the signature of AWS stands in `Authorization`", "`auth: off`"),
    (AWS % "" + "\nheaders: {authorization: '${KEY}'}", "the signature of AWS stands in `Authorization`", ""),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "message", "hint"), WRONG, ids=[row[1][-50:] for row in WRONG])
def test_what_is_wrong_is_told_with_its_place(lines, message, hint):
    told = errors(written, lines, **GIVEN)
    assert told.startswith("s.yaml:5:")
    assert message in told
    assert hint in told
    assert SECRET not in told
    assert "canary" not in told


RIGHT = [
    (HMAC % "", "hmac", {"header": "X-Signature", "timestamp_header": "X-Timestamp", "encoding": "hex"}),
    (HMAC % "", "hmac", {"components": ("method", "path", "query", "timestamp", "body"), "separator": "\n"}),
    (HMAC % ", nonce_header: N", "hmac", {"components": ("method", "path", "query", "timestamp", "nonce", "body")}),
    (HMAC % ", components: [body]", "hmac", {"algorithm": "sha256"}),
    (HTTP % "", "http_signature", {"label": "sig1", "nonce": True, "tells_algorithm": True}),
    (HTTP % ", expires: 5m", "http_signature", {"expires": 300}),
    (AWS % "", "aws", {"credentials": None, "payload": "auto"}),
    (AWS % ", credentials: default", "aws", {"credentials": None}),
    (AWS % ", credentials: {profile: audit}", "aws", {"credentials": {"profile": "audit"}}),
]


@pytest.mark.parametrize(("lines", "kind", "options"), RIGHT)
def test_defaults(lines, kind, options):
    sign = written(lines, **GIVEN).settings().sign
    assert sign.kind == kind
    assert {name: sign.options[name] for name in options} == options


def test_without_a_timestamp_there_is_no_header_for_it():
    assert "timestamp_header" not in written(HMAC % ", components: [body]", **GIVEN).settings().sign.options


def test_an_operation_signs_in_its_own_way_or_not_at_all():
    lines = "get: /x\nsign: off"
    assert operation(lines).settings("op").sign is None
    service = operation("get: /x\n" + AWS % "", **GIVEN)
    assert service.settings("op").sign.kind == "aws"
    assert service.settings().sign is None


def test_a_credential_in_another_header_goes_with_aws():
    lines = AWS % "" + "\nauth: {api_key: {header: X-API-Key, value: '${KEY}'}}"
    assert written(lines, **GIVEN).settings().sign.kind == "aws"


def test_an_environment_replaces_it_whole():
    text = """
callsheet: 1
services: {shop: {base_url: "https://shop.example", sign: {hmac: {key: "${KEY}", header: X-S}}}}
environments: {prod: {}, dev: {services: {shop: {sign: {aws: {service: s3, region: x}}}}}, test: {services: {shop: {sign: off}}}}
"""
    found = [Sheet.parse(text, env=env, **GIVEN).services["shop"].settings().sign for env in ("prod", "dev", "test")]
    assert [sign and sign.kind for sign in found] == ["hmac", "aws", None]


def test_an_outline_needs_no_key():
    text = 'callsheet: 1\nservices: {shop: {base_url: "https://h", sign: {hmac: {key: "${UNSET_KEY}", components: [body]}}}}'
    assert Sheet.outline(text, variables={}).services["shop"].settings() is not None


def test_the_schema_knows_each_kind():
    text = json.dumps(json_schema())
    for word in ("http_signature", "timestamp_header", "session_token", "tells_algorithm"):
        assert f'"{word}"' in text


def test_what_is_missing_is_named_with_what_installs_it(monkeypatch):
    import importlib.util

    from callsheet.auth import aws

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r'pip install "callsheet\[aws\]"'):
        aws.require_botocore()


def test_explain_shows_the_kind_and_no_key(shop):
    told = str(shop({"hmac": {"key": "${KEY}"}}).service.explain("get"))
    assert "{hmac: {key: ***, " in told
    assert "on   sign " in told
    assert "on   sign.ready" in told
    assert SECRET not in told
    off = str(shop({"hmac": {"key": "${KEY}"}}).service.explain("plain"))
    assert "off  sign " in off


def test_the_snippets_of_the_guide_are_sheets():
    page = Path(__file__).parents[2] / "docs/guides/signing.md"
    snippets = [fence.text for fence in fences(page) if fence.language == "yaml" and not fence.file]
    assert len(snippets) > 6
    for text in snippets:
        lines = text.replace("${file:/run/secrets/signing.pem}", "${PEM}").replace("base_url", "docs")
        assert written(lines, **GIVEN).settings().sign is not None
