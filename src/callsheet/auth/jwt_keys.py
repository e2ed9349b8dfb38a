"""Keys of JWTs: which algorithm takes which key, and how strong it must be.

RFC 7518 3.2 to 3.5 (HMAC, RSA, ECDSA, RSA-PSS), RFC 8037 3.1 (EdDSA). A key that does not fit gives an Unfit, and raises no
exception: the key would be among the local variables of its traceback.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from callsheet.errors import UsageError
from callsheet.secret import Secret

HASH_BYTES = {"HS256": 32, "HS384": 48, "HS512": 64}
"""A secret is at least as long as the hash (RFC 7518 3.2)."""
RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
SHORTEST_RSA = 2048
"""Bits (RFC 7518 3.3 and 3.5)."""
CURVES = {"ES256": "secp256r1", "ES384": "secp384r1", "ES512": "secp521r1"}
CURVE_NAMES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
ALGORITHMS = (*HASH_BYTES, *RSA, *CURVES, "EdDSA")
MISSING = 'JWTs are made and verified by PyJWT: pip install "callsheet[jwt]"'
HOW_TO_MAKE = {
    "HMAC": "`openssl rand -base64 48` makes one",
    "RSA": "`openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048` makes one",
    "EdDSA": "`openssl genpkey -algorithm ed25519` makes one",
}
_PEM = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----|^\s*(?:ssh-|ecdsa-sha2-)")


class Unfit(NamedTuple):
    """Why a key cannot be used, and what to do about it; it says nothing of the key's text."""

    message: str
    hint: str = ""


def family(algorithm: str) -> str:
    """`HMAC`, `RSA`, `EC` or `EdDSA`: algorithms of one family take the same kind of key."""
    if algorithm in HASH_BYTES:
        return "HMAC"
    if algorithm in RSA:
        return "RSA"
    return "EC" if algorithm in CURVES else "EdDSA"


def require_pyjwt() -> None:
    """Raise UsageError unless PyJWT and cryptography are installed."""
    try:
        import cryptography  # noqa: F401, PLC0415 - loaded where a JWT is used
        import jwt  # noqa: F401, PLC0415
    except ImportError:
        raise UsageError(MISSING) from None


def signing_key(algorithm: str, secret: Secret) -> Any:
    """The key in PyJWT's form: the secret's bytes, or a private key. Unfit if it does not fit. Raises UsageError."""
    require_pyjwt()
    if family(algorithm) == "HMAC":
        return _shared_secret(algorithm, secret.reveal().encode())
    return _fitting(algorithm, private_key(secret, "a token"))


def private_key(secret: Secret, what: str) -> Any:
    """The private key in a PEM text; Unfit if there is none. `what` is named in the error as what the key signs."""
    text = _unfolded(secret.reveal())
    kind = _PEM.match(text.lstrip())
    label = (kind[1] or "PUBLIC KEY") if kind else ""
    if not kind:
        looks_like_path = len(text) < 200 and re.search(r"\.(pem|key)\s*\Z", text)
        return Unfit("no private key in PEM", "write `${file:PATH}` to read a file" if looks_like_path else HOLDS)
    if "PUBLIC KEY" in label or "CERTIFICATE" in label:
        return Unfit(f"a public key, and {what} is signed with the private one", HOLDS)
    if "ENCRYPTED" in label or "Proc-Type: 4,ENCRYPTED" in text:
        return Unfit("an encrypted private key", "`openssl pkey -in ENCRYPTED.pem -out KEY.pem` decrypts it")
    return _loaded(text, is_private=True)


def verifying_key(algorithm: str, key: bytes) -> Any:
    """The key in PyJWT's form: the secret's bytes, or a public key. Unfit if it does not fit. Raises UsageError."""
    require_pyjwt()
    if family(algorithm) == "HMAC":
        return _shared_secret(algorithm, key)
    text = _unfolded(key.decode("utf-8", "replace"))
    kind = _PEM.match(text.lstrip())
    if not kind or "PUBLIC KEY" not in (kind[1] or ""):
        return Unfit("no public key in PEM", "`openssl pkey -in KEY.pem -pubout` writes the one of a private key")
    return _fitting(algorithm, _loaded(text, is_private=False))


HOLDS = "it begins with `-----BEGIN PRIVATE KEY-----`"


def _shared_secret(algorithm: str, octets: bytes) -> bytes | Unfit:
    # A public key that is taken for a secret lets everybody sign (RFC 8725 2.1).
    if _PEM.search(octets.decode("utf-8", "replace")):
        return Unfit(f"a key in PEM, and {algorithm} signs with a shared secret", "write an algorithm such as `RS256`")
    least = HASH_BYTES[algorithm]
    if len(octets) < least:
        message = f"too short for {algorithm}, which needs {least} bytes at least (RFC 7518 3.2)"
        return Unfit(message, HOW_TO_MAKE["HMAC"])
    return octets


def _unfolded(text: str) -> str:
    r"""The PEM with its line breaks restored: `.env` files and consoles often write them as `\n`."""
    return text if "\n" in text else text.replace("\\n", "\n")


def _loaded(text: str, *, is_private: bool) -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - loaded where a JWT is used
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415

    data = text.encode()
    try:
        if is_private:
            return serialization.load_pem_private_key(data, password=None)
        return serialization.load_pem_public_key(data)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return Unfit("a PEM that cannot be read", "is it whole, with its first and last line?")


def _fitting(algorithm: str, key: Any) -> Any:
    """The key, if it is of the algorithm's family and strong enough."""
    if isinstance(key, Unfit):
        return key
    found, size = _kind_of(key)
    wanted = family(algorithm)
    if found != wanted:
        kind = {"RSA": "an RSA key", "EC": "an elliptic-curve key", "EdDSA": "an Ed25519 or Ed448 key"}
        given = kind.get(found, "a key of another kind")
        return Unfit(f"{given}, and {algorithm} needs {kind[wanted]}", _hint(algorithm))
    if wanted == "RSA" and size < SHORTEST_RSA:
        return Unfit(
            f"an RSA key of {size} bits, and {algorithm} needs {SHORTEST_RSA} at least (RFC 7518 3.3)", _hint(algorithm)
        )
    if wanted == "EC" and key.curve.name != CURVES[algorithm]:
        curve = CURVE_NAMES.get(key.curve.name, key.curve.name)
        needed = CURVE_NAMES[CURVES[algorithm]]
        return Unfit(f"a key on the curve {curve}, and {algorithm} needs {needed} (RFC 7518 3.4)", _hint(algorithm))
    return key


def _kind_of(key: Any) -> tuple[str, int]:
    from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa  # noqa: PLC0415 - where a JWT is used

    if isinstance(key, rsa.RSAPrivateKey | rsa.RSAPublicKey):
        return "RSA", key.key_size
    if isinstance(key, ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey):
        return "EC", key.key_size
    edwards = (ed25519.Ed25519PrivateKey, ed25519.Ed25519PublicKey, ed448.Ed448PrivateKey, ed448.Ed448PublicKey)
    return ("EdDSA", 0) if isinstance(key, edwards) else ("", 0)


def _hint(algorithm: str) -> str:
    if algorithm in CURVES:
        curve = CURVE_NAMES[CURVES[algorithm]]
        return f"`openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:{curve}` makes one"
    return HOW_TO_MAKE[family(algorithm)]
