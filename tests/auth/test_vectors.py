"""The examples of RFC 7515 (appendix A) and RFC 8037 (A.4)."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from callsheet.auth import verify_jwt
from callsheet.auth.jwt import signed
from callsheet.auth.jwt_keys import signing_key
from callsheet.errors import AuthError
from callsheet.secret import Secret

PAYLOAD = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
CLAIMS = {"iss": "joe", "exp": 1300819380, "http://example.com/is_root": True}


def octets(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_rfc_7515_a1_hs256():
    key = octets("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
    token = f"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{PAYLOAD}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert verify_jwt(token, key, ["HS256"], issuer="joe", now=1300819379) == CLAIMS
    with pytest.raises(AuthError, match="expired"):
        verify_jwt(token, key, ["HS256"], now=1300819380)


def test_rfc_7515_a3_es256():
    x = int.from_bytes(octets("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"))
    y = int.from_bytes(octets("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"))
    public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    assert verify_jwt(f"eyJhbGciOiJFUzI1NiJ9.{PAYLOAD}.{signature}", pem, ["ES256"], now=1300819379) == CLAIMS


def test_rfc_8037_a4_eddsa():
    private = ed25519.Ed25519PrivateKey.from_private_bytes(octets("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"))
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    token = signed(b"Example of Ed25519 signing", signing_key("EdDSA", Secret(pem)), "EdDSA", {"typ": None})
    assert token == (
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    )
