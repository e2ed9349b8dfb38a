"""Keys for every algorithm, each made once."""

from __future__ import annotations

from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from callsheet.auth.jwt_keys import ALGORITHMS, CURVES, RSA

SHARED = "-".join(["canary-7f3a9c51"] * 5)
"""Long enough for every HS algorithm."""
EC_CURVES = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}
assert set(EC_CURVES) == set(CURVES)


@cache
def pair(kind: str) -> tuple[str, str]:
    """A private key in PEM and its public one; `kind` is an algorithm, `RSA-1024`, `Ed448`, or a name for another one."""
    key = _made(kind)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return private, public


def _made(kind):
    if kind in RSA or kind.startswith("RSA"):
        return rsa.generate_private_key(65537, 1024 if kind == "RSA-1024" else 2048)
    if kind in EC_CURVES:
        return ec.generate_private_key(EC_CURVES[kind])
    return ed448.Ed448PrivateKey.generate() if kind == "Ed448" else ed25519.Ed25519PrivateKey.generate()


@cache
def encrypted() -> str:
    """An RSA key behind a password."""
    return _made("RSA").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"pw")).decode()


def keys_of(algorithm: str) -> tuple[str, str]:
    """What signs and what verifies: RSA and PSS share one pair."""
    if algorithm.startswith("HS"):
        return SHARED, SHARED
    return pair("RSA" if algorithm in RSA else algorithm)


def auth_of(algorithm: str, name: str = "KEY") -> dict:
    """`auth` with the key in a variable."""
    what = "secret" if algorithm.startswith("HS") else "key"
    return {"jwt": {what: f"${{{name}}}", "algorithm": algorithm, "issuer": "shop-client"}}


__all__ = ["ALGORITHMS", "SHARED", "auth_of", "encrypted", "keys_of", "pair"]
