"""Which key fits which algorithm."""

import pytest

from callsheet.auth.jwt_keys import Unfit, signing_key
from callsheet.secret import Secret
from tests.auth.keys import ALGORITHMS, auth_of, encrypted, keys_of, pair
from tests.sheet.sheets import errors, parse


def sheet_with(algorithm, key, **settings):
    auth = auth_of(algorithm)
    auth["jwt"] |= settings
    text = f'callsheet: 1\nservices:\n  shop:\n    base_url: "https://shop.example"\n    auth: {auth}\n'
    return parse(text, variables={"KEY": key})


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_of_the_right_kind_fits(algorithm):
    assert sheet_with(algorithm, keys_of(algorithm)[0]).warnings == ()


@pytest.mark.parametrize(("algorithm", "least"), [("HS256", 32), ("HS384", 48), ("HS512", 64)])
def test_a_secret_is_as_long_as_the_hash(algorithm, least):
    assert signing_key(algorithm, Secret("x" * least)) == b"x" * least
    assert f"which needs {least} bytes at least" in signing_key(algorithm, Secret("x" * (least - 1))).message


UNFIT = [
    ("RS256", lambda: pair("RSA-1024")[0], "an RSA key of 1024 bits, and RS256 needs 2048 at least (RFC 7518 3.3)", "rsa_keygen_bits:2048"),
    ("PS512", lambda: pair("RSA-1024")[0], "an RSA key of 1024 bits, and PS512 needs 2048", ""),
    ("RS256", lambda: pair("RSA")[1], "a public key, and a token is signed with the private one", "BEGIN PRIVATE KEY"),
    ("RS256", encrypted, "an encrypted private key", "openssl pkey"),
    ("RS256", lambda: pair("ES256")[0], "an elliptic-curve key, and RS256 needs an RSA key", "rsa_keygen_bits:2048"),
    ("ES256", lambda: pair("ES384")[0], "a key on the curve P-384, and ES256 needs P-256 (RFC 7518 3.4)", "ec_paramgen_curve:P-256"),
    ("ES384", lambda: pair("ES512")[0], "a key on the curve P-521, and ES384 needs P-384", ""),
    ("ES512", lambda: pair("ES256")[0], "a key on the curve P-256, and ES512 needs P-521", ""),
    ("ES256", lambda: pair("EdDSA")[0], "an Ed25519 or Ed448 key, and ES256 needs an elliptic-curve key", ""),
    ("EdDSA", lambda: pair("RSA")[0], "an RSA key, and EdDSA needs an Ed25519 or Ed448 key", "ed25519"),
    ("RS256", lambda: "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----", "a PEM that cannot be read", "first and last line"),
    ("RS256", lambda: "canary-7f3a9c51", "no private key in PEM", "BEGIN PRIVATE KEY"),
    ("HS256", lambda: pair("RSA")[1], "a key in PEM, and HS256 signs with a shared secret", "RS256"),
    ("HS256", lambda: pair("RSA")[0], "a key in PEM", ""),
    ("HS256", lambda: "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC7 canary@host", "a key in PEM", ""),
]  # fmt: skip


@pytest.mark.parametrize(("algorithm", "key", "message", "hint"), UNFIT, ids=[row[2] for row in UNFIT])
def test_an_unfit_key_is_an_error_of_the_sheet_with_its_place(algorithm, key, message, hint):
    told = errors(sheet_with, algorithm, key())
    assert told.startswith("s.yaml:5:")
    assert f"of service `shop`: {message}" in told
    assert hint in told
    assert "${KEY}" in told
    assert "canary" not in told


def test_a_pem_may_have_its_line_breaks_written_out():
    assert sheet_with("ES256", pair("ES256")[0].replace("\n", "\\n")).services


def test_ed448_is_eddsa_too():
    assert not isinstance(signing_key("EdDSA", Secret(pair("Ed448")[0])), Unfit)


def test_one_wrong_value_is_one_error():
    assert errors(sheet_with, "HS999", "x").count("s.yaml:") == 1


def test_an_outline_needs_no_key(tmp_path):
    from callsheet.sheet import Sheet

    text = (
        'callsheet: 1\nservices:\n  shop:\n    base_url: "https://shop.example"\n    auth: {jwt: {secret: "${KEY}"}}\n'
    )
    auth = Sheet.outline(text, variables={}).services["shop"].settings().auth
    assert (auth.kind, auth.options["algorithm"]) == ("jwt", "HS256")


def test_without_pyjwt_the_sheet_says_what_to_install(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "jwt", None)
    told = errors(sheet_with, "HS256", keys_of("HS256")[0])
    assert "`auth.jwt.secret` of service `shop`: JWTs are made and verified by PyJWT" in told
    assert 'pip install "callsheet[jwt]"' in told
