"""Who the settings say we are: the same whatever token proves it, another for another credential."""

import pytest

from callsheet import Client, Secret, Sheet, SheetError
from callsheet.auth.principal import Principal, principal_of
from callsheet.testing import FakeTransport

OAUTH2 = {"token_url": "https://id.test/token", "client_id": "ours", "client_secret": "s" * 16, "scopes": ["read"]}
JWT = {"algorithm": "HS256", "secret": "k" * 32, "issuer": "ours", "subject": "ada"}


def principal(**settings):
    return principal_of(
        Sheet(services={"shop": {"base_url": "https://shop.test", **settings}}).services["shop"].settings()
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"token_url": "https://other.test/token"},
        {"client_id": "theirs"},
        {"client_secret": "t" * 16},
        {"scopes": ["read", "write"]},
        {"audience": "https://shop.test"},
    ],
)
def test_tokens_that_are_fetched_for_something_else_are_another_principals(changed):
    assert principal(auth={"oauth2": OAUTH2}) == principal(auth={"oauth2": OAUTH2})
    assert principal(auth={"oauth2": OAUTH2}) != principal(auth={"oauth2": OAUTH2 | changed})


@pytest.mark.parametrize("changed", [{"issuer": "theirs"}, {"subject": "bob"}, {"secret": "l" * 32}])
def test_so_are_tokens_that_are_made(changed):
    assert principal(auth={"jwt": JWT}) != principal(auth={"jwt": JWT | changed})
    assert principal(auth={"jwt": JWT}) == principal(auth={"jwt": JWT | {"expires": "5m"}})


def test_a_certificate_counts_by_its_content(tmp_path, certificates):
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert.write_bytes(certificates.client_cert_file.read_bytes())
    key.write_bytes(certificates.client_key_file.read_bytes())
    tls = {"cert": str(cert), "key": str(key)}
    first = principal(tls=tls)
    assert first not in (principal(), None)
    cert.write_bytes(cert.read_bytes() + b"\n")
    assert principal(tls=tls) != first


def test_a_token_that_a_function_gives_may_be_anybodys():
    assert principal(auth={"bearer": lambda: "of-somebody"}) is None
    assert principal(headers={"X-Token": Secret(lambda: "of-somebody")}) is None


def test_no_secret_can_be_read_from_it():
    told = principal(
        auth={"basic": {"username": "ada", "password": "hunter2-hunter2"}}, headers={"X-Token": "t0ken-t0ken"}
    )
    assert "hunter2" not in told
    assert "t0ken" not in told


def test_a_function_of_the_users_is_nobody_until_the_sheet_says_who_it_is():
    assert principal(auth={"python": "json:dumps"}) is None
    ada, bob = (principal(auth={"python": "json:dumps", "identity": name}) for name in ("ada", "bob"))
    assert None not in (ada, bob)
    assert ada != bob


def with_identity(request, *, identity=None):
    return request.plus("X-Identity", str(identity))


@pytest.mark.parametrize("function", [with_identity, lambda request: request])
def test_a_function_that_has_an_option_of_that_name_gets_it_too(function):
    fake = FakeTransport()
    fake.on("GET", "/a").respond(200)
    with Client(base_url="https://shop.test", auth={"python": function, "identity": "ada"}, transport=fake) as shop:
        shop.get("/a")
    expected = "ada" if function is with_identity else None
    assert fake.calls[0].headers.get("X-Identity") == expected


def test_an_identity_is_a_text():
    with pytest.raises(SheetError, match="a text that says whose credential"):
        principal(auth={"python": "json:dumps", "identity": [1]})


HMAC = {"algorithm": "sha256", "header": "X-Signature"}
AWS = {"region": "eu-west-1", "service": "s3"}
AWS_KEYS = {"access_key": "AKIDEXAMPLE", "secret_key": "wJalrXUtnFEMI-of-the-sheet"}


@pytest.mark.parametrize(
    "settings",
    [
        {"auth": {"jwt": JWT | {"secret": lambda: "k" * 32}}},
        {"auth": {"oauth2": OAUTH2 | {"client_secret": lambda: "s" * 16}}},
        {"sign": {"hmac": HMAC | {"key": lambda: "k" * 32}}},
    ],
)
def test_so_may_what_is_made_with_the_key_that_a_function_gives(settings):
    assert principal(**settings) is None


def test_credentials_that_the_machine_gives_may_be_anybodys_and_those_of_the_sheet_are_ours():
    assert principal(sign={"aws": AWS}) is None
    assert principal(sign={"aws": AWS | {"credentials": {"profile": "billing"}}}) is None
    ours = principal(sign={"aws": AWS | {"credentials": AWS_KEYS}})
    theirs = principal(sign={"aws": AWS | {"credentials": AWS_KEYS | {"access_key": "AKIDOTHER"}}})
    assert None not in (ours, theirs)
    assert ours != theirs


def test_a_key_in_a_file_counts_by_its_content(tmp_path):
    file = tmp_path / "key"
    file.write_text("k" * 32)
    clock = FakeTransport().clock
    shop = {"base_url": "https://shop.test", "sign": {"hmac": HMAC | {"key": f"${{file:{file}}}"}}}
    asked = Principal(Sheet(services={"shop": shop}, clock=clock.now).services["shop"].settings())
    ours = asked.now()
    assert asked.now() == ours
    file.write_text("another's, which is longer")
    clock.advance(2)
    assert asked.now() not in (ours, None)
