"""`verify_jwt`: what is trusted, and what is refused."""

import base64
import hmac
import json
import traceback

import jwt
import pytest

from callsheet.auth import verify_jwt
from callsheet.auth.jwt import signed
from callsheet.auth.jwt_keys import signing_key
from callsheet.errors import AuthError, UsageError
from callsheet.secret import Secret
from tests.auth.keys import ALGORITHMS, SHARED, keys_of, pair

NOW = 1_000_000


def token(algorithm="HS256", key=None, headers=None, **claims):
    key = signing_key(algorithm, Secret(key or keys_of(algorithm)[0]))
    return signed(json.dumps({"exp": NOW + 60, **claims}).encode(), key, algorithm, headers or {})


def verified(text, algorithms=("HS256",), key=SHARED, **given):
    return verify_jwt(text, key, algorithms, **{"now": NOW, **given})


def refusal(*arguments, **given):
    with pytest.raises(AuthError) as caught:
        verified(*arguments, **given)
    assert "canary" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_is_verified(algorithm):
    key = keys_of(algorithm)[1]
    assert verified(token(algorithm, a=1), [algorithm], key) == {"exp": NOW + 60, "a": 1}
    assert verified(token(algorithm), [algorithm], Secret(key))
    head, body, signature = token(algorithm).split(".")
    forged = f"{head}.{body}.{signature[:-8]}AAAAAAAA"
    assert refusal(forged, [algorithm], key) == "JWT: its signature does not fit the key"


@pytest.mark.parametrize("algorithm", [name for name in ALGORITHMS if not name.startswith("HS")])
def test_another_key_does_not_fit(algorithm):
    other = pair("RSA-other" if algorithm[0] in "RP" else algorithm)[1]
    mine = token(algorithm, pair("RSA" if algorithm[0] in "RP" else "Ed448" if algorithm == "EdDSA" else algorithm)[0])
    if algorithm.startswith("ES"):
        mine = mine[:-8] + "AAAAAAAA"
    assert refusal(mine, [algorithm], other) == "JWT: its signature does not fit the key"


def unsigned(**header):
    parts = (json.dumps(part).encode() for part in ({"typ": "JWT", **header}, {"exp": NOW + 60}))
    return ".".join([*(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts), ""])


@pytest.mark.parametrize("spelling", ["none", "None", "NONE", "nOnE", ""])
def test_an_unsigned_token_is_refused(spelling):
    assert "HS256" in refusal(unsigned(alg=spelling))


def test_a_public_key_is_no_shared_secret():
    private, public = pair("RSA")
    forged = jwt.api_jws.PyJWS()
    body = json.dumps({"exp": NOW + 60}).encode()
    import hashlib
    import hmac

    head = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').rstrip(b"=")
    text = head + b"." + base64.urlsafe_b64encode(body).rstrip(b"=")
    mac = base64.urlsafe_b64encode(hmac.new(public.encode(), text, hashlib.sha256).digest()).rstrip(b"=")
    confused = (text + b"." + mac).decode()
    assert refusal(confused, ["RS256"], public) == "JWT: it is not signed with RS256"
    with pytest.raises(UsageError, match="a key in PEM, and HS256 signs with a shared secret"):
        verified(confused, ["HS256"], public)
    assert forged.encode(body, signing_key("RS256", Secret(private)), "RS256")


@pytest.mark.parametrize(
    ("algorithms", "message"),
    [
        ([], "expected a list of algorithms"),
        ("HS256", "expected a list of algorithms"),
        (["none"], "'none' is no algorithm for signatures"),
        (["HS256", "RS256"], "take keys of different kinds"),
        (["RS256"], "the key cannot be used: no public key in PEM"),
    ],
)
def test_algorithms_that_cannot_verify_are_a_mistake_of_the_program(algorithms, message):
    with pytest.raises(UsageError, match=message):
        verified(token(), algorithms)


def test_a_short_secret_or_a_private_key_verifies_nothing():
    with pytest.raises(UsageError, match="too short for HS256"):
        verified(token(), key="short")
    with pytest.raises(UsageError, match="no public key in PEM"):
        verified(token("RS256"), ["RS256"], pair("RSA")[0])


CLAIMS = [
    ({"exp": NOW}, {}, "it has expired"),
    ({"exp": NOW - 5}, {"leeway": 4.0}, "it has expired"),
    ({"exp": None}, {}, "it has no `exp`"),
    ({"exp": "soon"}, {}, "its `exp` is no number"),
    ({"exp": True}, {}, "its `exp` is no number"),
    ({"exp": float("nan")}, {}, "it has expired"),
    ({"nbf": NOW + 1}, {}, "it is not valid yet"),
    ({"nbf": float("nan")}, {}, "it is not valid yet"),
    ({"iat": [1]}, {}, "its `iat` is no number"),
    ({"iss": "a"}, {"issuer": "b"}, "it is of another issuer"),
    ({}, {"issuer": "b"}, "it is of another issuer"),
    ({"iss": {"b": 1}}, {"issuer": "b"}, "it is of another issuer"),
    ({"aud": "a"}, {"audience": "b"}, "it is meant for another audience"),
    ({"aud": "a"}, {}, "it is meant for another audience"),
    ({"aud": ["a", "c"]}, {"audience": ["b", "d"]}, "it is meant for another audience"),
    ({}, {"audience": "b"}, "it is meant for another audience"),
    ({}, {"requires": ["sub"]}, "it has no `sub`"),
]


@pytest.mark.parametrize(("claims", "given", "message"), CLAIMS)
def test_claims_that_are_not_right(claims, given, message):
    assert refusal(token(**claims), **given) == f"JWT: {message}"


@pytest.mark.parametrize(
    ("claims", "given"),
    [
        ({"exp": NOW - 5}, {"leeway": 6.0}),
        ({"nbf": NOW + 5}, {"leeway": 5.0}),
        ({"exp": None}, {"requires": ()}),
        ({"iss": "a"}, {"issuer": ["a", "b"]}),
        ({"aud": ["a", "b"]}, {"audience": "b"}),
        ({"aud": "a"}, {"audience": {"a", "b"}}),
    ],
)
def test_claims_that_are_right(claims, given):
    assert verified(token(**claims), **given)["exp"] == claims.get("exp", NOW + 60)


@pytest.mark.parametrize("text", ["", "a.b", "a.b.c", "ä.b.c", "." * 70_000, "e30.e30.e30", "bnVsbA.e30.e30"])
def test_what_is_no_token(text):
    assert refusal(text)


def test_claims_that_are_no_object():
    text = signed(b"[1]", signing_key("HS256", Secret(SHARED)), "HS256", {})
    assert refusal(text) == "JWT: its claims are no JSON object"


def test_a_critical_extension_is_refused():
    assert refusal(token(headers={"crit": ["exp"], "exp": 1}))


def test_the_time_of_day_counts_unless_another_is_given():
    with pytest.raises(AuthError, match="expired"):
        verify_jwt(token(), SHARED, ["HS256"])


@pytest.mark.parametrize("token", [None, b"a.b.c", 7])
def test_a_token_that_is_missing_is_not_right(token):
    with pytest.raises(AuthError, match="expected a text of three parts, found"):
        verify_jwt(token, SHARED, ["HS256"])


@pytest.mark.parametrize(
    ("key", "leeway", "told"),
    [
        ({"kty": "oct"}, 0.0, "expected the key as text, bytes or a Secret, found dict"),
        (SHARED, "5s", "leeway as a number"),
    ],
)
def test_what_is_wrong_in_the_program_is_a_usage_error(key, leeway, told):
    with pytest.raises(UsageError, match=told):
        verify_jwt("a.b.c", key, ["HS256"], leeway=leeway)


@pytest.mark.parametrize("token", ["a.b.c", "", "wrong signature", "expired"])
@pytest.mark.parametrize("kind", [str, str.encode, Secret])
def test_the_key_is_in_no_frame_of_ours(token, kind):
    """A webhook that anybody can call must not send the key to whoever collects errors."""
    canary = "canary-of-thirty-two-bytes-or-more-9f"
    made = {
        "wrong signature": lambda: jwt.encode({"exp": 9e9}, "x" * 40, "HS256"),
        "expired": lambda: jwt.encode({"exp": 1}, canary, "HS256"),
    }
    text = made[token]() if token in made else token
    with pytest.raises(AuthError) as caught:
        verify_jwt(text, kind(canary), ["HS256"])
    frames = traceback.TracebackException.from_exception(caught.value, capture_locals=True).stack[1:]
    assert frames
    assert canary not in repr([frame.locals for frame in frames])


def written(payload, header=b'{"alg":"HS256"}', tail=("", "", "")):
    """A token of these bytes, rightly signed, with something behind each part."""
    parts = [
        base64.urlsafe_b64encode(part).rstrip(b"=").decode() + more
        for part, more in zip((header, payload), tail, strict=False)
    ]
    signature = hmac.digest(
        SHARED if isinstance(SHARED, bytes) else SHARED.encode(), ".".join(parts).encode(), "sha256"
    )
    return ".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=").decode() + tail[2]])


def test_a_token_that_is_written_by_hand_is_verified():
    assert verified(written(b'{"exp": 1000060, "a": [{"b": 1}, {"b": 2}]}')) == {
        "exp": NOW + 60,
        "a": [{"b": 1}, {"b": 2}],
    }
    assert verified(written(b'{"exp": 1000060.5, "nbf": -5, "iat": -1e3}'))["nbf"] == -5


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("9" * 310, "time"), ("-" + "9" * 310, "time"), ("1e999", "time"), ("-1e999", "time"), ("1e308", "time"), ("9" * 4000, "time"),
        ("Infinity", "time"), ("-Infinity", "time"), ("9" * 5000, "object"),
        ("true", "number"), ('"1000060"', "number"), ("[1000060]", "number"), ("{}", "number"),
    ],
)  # fmt: skip
def test_a_time_that_is_none_is_refused(name, value, told):
    exp = "" if name == "exp" else '"exp": 1000060, '
    message = refusal(written(f'{{{exp}"{name}": {value}}}'.encode()), leeway=1.5)
    assert message == {"object": "JWT: its claims are no JSON object"}.get(told, f"JWT: its `{name}` is no {told}")


CLAIMS = '{"exp": 1000060}'


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be", "utf-8-sig"])
def test_claims_and_header_are_in_utf_8(encoding):
    assert refusal(written(CLAIMS.encode(encoding))) == "JWT: its claims are no JSON object"
    header = written(CLAIMS.encode(), '{"alg":"HS256"}'.encode(encoding))
    assert refusal(header) in ("JWT: its header is no JSON object", "JWT: it cannot be read as a signed token")


@pytest.mark.parametrize("claims", [b'{"exp": 1, "exp": 1000060}', b'{"exp": 1000060, "a": {"b": 1, "\\u0062": 2}}'])
def test_a_name_twice_is_refused(claims):
    assert refusal(written(claims)) == "JWT: its claims are no JSON object"
    header = written(CLAIMS.encode(), b'{"alg":"HS256","kid":"a","kid":"b"}')
    assert refusal(header) == "JWT: its header is no JSON object"


@pytest.mark.parametrize("more", ["=", "==", "====", "\n", " ", "\u00e9", "+", "A"])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_nothing_stands_behind_a_part(more, at):
    tail = ["", "", ""]
    tail[at] = more
    assert refusal(written(CLAIMS.encode() + b" ", tail=tail)).startswith("JWT: ")


def test_the_bits_behind_the_last_octet_are_zero():
    text = written(CLAIMS.encode())
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    assert refusal(text[:-1] + last[last.index(text[-1]) + 1]) == "JWT: expected a text of three parts"
