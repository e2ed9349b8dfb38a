"""HTTP Message Signatures (RFC 9421), with Content-Digest (RFC 9530) for the body.

The signature base is built here, which is ten times as fast as the library `http-message-signatures`. The library resolves
the components with parameters, and signs.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from callsheet.auth.body_digest import Digests
from callsheet.auth.components import DEFAULT_PORTS, RequestTarget, fields_of, has_content, revealed, settled, target_of
from callsheet.auth.jwt_keys import CURVE_NAMES, HOW_TO_MAKE, SHORTEST_RSA, Unfit, private_key
from callsheet.auth.kept_key import KeptKey, shared_secret
from callsheet.call import Attempt
from callsheet.errors import ArgumentError, UsageError
from callsheet.http.request import Request
from callsheet.secret import Secret, redact
from callsheet.verdicts import Ticket

MISSING = 'HTTP signatures are made by http-message-signatures: pip install "callsheet[signing]"'
ALGORITHMS: Mapping[str, str] = {
    "ed25519": "ED25519",
    "ecdsa-p256-sha256": "ECDSA_P256_SHA256",
    "ecdsa-p384-sha384": "ECDSA_P384_SHA384",
    "rsa-pss-sha512": "RSA_PSS_SHA512",
    "rsa-v1_5-sha256": "RSA_V1_5_SHA256",
    "hmac-sha256": "HMAC_SHA256",
}
"""The registered names (RFC 9421 6.2.2), and the library's."""
CURVES = {"ecdsa-p256-sha256": "secp256r1", "ecdsa-p384-sha384": "secp384r1"}
SHORTEST_SECRET = 32
"""Bytes of a secret for hmac-sha256: as long as the hash."""
DERIVED: Mapping[str, Callable[[Request, RequestTarget], str]] = {
    "@method": lambda request, target: request.method,
    "@target-uri": lambda request, target: target.url,
    "@authority": lambda request, target: target.authority.lower().removesuffix(DEFAULT_PORTS[target.scheme]),
    "@scheme": lambda request, target: target.scheme,
    "@request-target": lambda request, target: target.in_origin_form,
    "@path": lambda request, target: target.path,
    "@query": lambda request, target: f"?{target.query or ''}",
}
"""Components that are not header fields (RFC 9421 2.2)."""
COMPONENTS = ("@method", "@authority", "@path", "@query")
"""What is signed by default, together with the digest of the body if there is a body."""
DIGEST = "content-digest"
COMPONENT = re.compile(
    rf"{'|'.join(DERIVED)}|[a-z0-9!#$%&'*+\-.^_`|~]+"
    r'|"@query-param";name="[^"\\]+"|"[a-z0-9!#$%&\'*+\-.^_`|~]+"(;(sf|bs|key="[^"\\]+"))+'
)
LABEL = re.compile(r"[a-z*][a-z0-9_.*-]*")
"""A key of a dictionary (RFC 9651 3.2)."""


class SignatureBase(NamedTuple):
    """The text that is signed (RFC 9421 2.5), and its parameters as Signature-Input has them."""

    text: bytes
    parameters: str


class SignedMessage(NamedTuple):
    """A request with the attributes that the library reads."""

    method: str
    url: str
    headers: SignedFields
    request_target: str


class SignedFields:
    """Header fields with the one method that the library calls."""

    def __init__(self, fields: Sequence[tuple[str, str]]) -> None:
        self._fields = fields

    def items(self) -> Sequence[tuple[str, str]]:
        """Name and value of each field."""
        return self._fields


class HTTPSignature:
    """Signs by RFC 9421. `options` are the sheet's; `new_nonce` makes a nonce."""

    waits_for = "the digest of its body"

    def __init__(self, options: Mapping[str, Any], *, new_nonce: Callable[[], str]) -> None:
        require_library()
        import http_message_signatures as library  # noqa: PLC0415 - loaded where requests are signed so

        self._options = options
        self._algorithm: Any = getattr(library.algorithms, ALGORITHMS[options["algorithm"]])
        self._resolver: Any = library.HTTPSignatureComponentResolver
        self._refusal: type[Exception] = library.HTTPMessageSignaturesException
        self._key = KeptKey(
            options["key"], lambda secret: signature_key(options["algorithm"], secret, options["key_encoding"])
        )
        self._new_nonce = new_nonce
        self._components: tuple[str, ...] = options.get("components", COMPONENTS)
        self._digests = Digests("its signature covers `content-digest`")
        self._covers_body = "components" not in options
        """Whether the digest is added to the components of each request with a body."""
        self.prepares = self._covers_body or any(map(is_digest, self._components))

    def forget(self) -> None:
        """Start over in a forked child, where the threads of the parent do not run."""
        self._digests.forget()

    def awaited(self, attempt: Attempt) -> Ticket | None:
        """A ticket to wait for before signing, or None. Raises ArgumentError for a body that can be read only once."""
        return None if attempt.request.headers.has(DIGEST) else self._digests.awaited(attempt)

    def signed(self, request: Request, now: float) -> Request:
        """The request with its signature. Raises ArgumentError for what it lacks, AuthError without a key."""
        request = settled(request)
        components = self._components_of(request)
        if any(map(is_digest, components)) and not request.headers.has(DIGEST):
            request = request.plus("Content-Digest", f"sha-256=:{_base64(self._digests.of(request))}:")
        base = self.base(request, components, int(now))
        signature = _base64(self._algorithm(private_key=self._key.now()).sign(base.text))
        label = self._options["label"]
        fields: list[tuple[str, str | Secret]] = [
            ("Signature-Input", f"{label}={base.parameters}"),
            ("Signature", Secret(f"{label}=:", signature, ":")),
        ]
        return request.with_headers(request.headers.with_fields(fields), Secret(signature))

    def base(self, request: Request, components: Sequence[str], created: int) -> SignatureBase:
        """The signature base. Raises ArgumentError for a component that the request does not have."""
        target = target_of(request)
        fields = fields_of(request, target)
        lines = [f"{_name(each)}: {self._value(each, request, target, fields)}" for each in components]
        parameters = f"({' '.join(map(_name, components))}){self._parameters(created)}"
        text = "\n".join([*lines, f'"@signature-params": {parameters}'])
        if not text.isascii():
            raise ArgumentError("the request cannot be signed: what is signed holds a character outside ASCII")
        return SignatureBase(text.encode(), parameters)

    def _components_of(self, request: Request) -> tuple[str, ...]:
        return (*self._components, DIGEST) if self._covers_body and has_content(request) else self._components

    def _parameters(self, created: int) -> str:
        options = self._options
        told = [f";created={created};keyid={quoted(revealed(options['key_id']))}"]
        if options["tells_algorithm"]:
            told.append(f';alg="{options["algorithm"]}"')
        if "expires" in options:
            told.append(f";expires={created + options['expires']}")
        if options["nonce"]:
            told.append(f";nonce={quoted(self._new_nonce())}")
        if "tag" in options:
            told.append(f";tag={quoted(options['tag'])}")
        return "".join(told)

    def _value(self, component: str, request: Request, target: RequestTarget, fields: list[tuple[str, str]]) -> str:
        if component in DERIVED:
            return DERIVED[component](request, target)
        if component.startswith('"'):
            return self._of_library(component, request, target, fields)
        values = [value.strip(" \t") for name, value in fields if name.lower() == component]
        value = ", ".join(values)
        if not values or not value.isascii():
            why = "holds a character outside ASCII" if values else "is not there; give it, or set it under `headers`"
            raise ArgumentError(f"the request cannot be signed: its header `{component}` {why}")
        return value

    def _of_library(
        self, component: str, request: Request, target: RequestTarget, fields: list[tuple[str, str]]
    ) -> str:
        """The value of a component with parameters."""
        from http_sf.compat import Item  # noqa: PLC0415 - loaded where requests are signed so

        message = SignedMessage(request.method, target.url, SignedFields(fields), request_target=target.in_origin_form)
        try:
            item = Item()
            item.parse(component.encode())
            value: str = self._resolver(message).resolve(item)
            value.encode("ascii")
        except (self._refusal, ValueError) as error:
            told = "it is not ASCII" if isinstance(error, UnicodeError) else redact(str(error), request.secrets)
            raise ArgumentError(f"the request cannot be signed: component {component}: {told}") from None
        return value


def _name(component: str) -> str:
    """A component as the signature base and Signature-Input spell it: in quotes."""
    return component if component.startswith('"') else f'"{component}"'


def quoted(text: str) -> str:
    """The text as a string of structured fields (RFC 9651 3.3.3)."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def is_digest(component: str) -> bool:
    """Whether a component covers the digest of the body."""
    return component == DIGEST or component.startswith(f'"{DIGEST}"')


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def require_library() -> None:
    """Raise UsageError unless http-message-signatures is installed."""
    try:
        import http_message_signatures  # noqa: F401, PLC0415 - loaded where requests are signed so
    except ImportError:
        raise UsageError(MISSING) from None


def signature_key(algorithm: str, secret: Secret, encoding: str = "text") -> Any:
    """The key in the library's form: the secret's bytes, or a private key. Unfit if it does not fit the algorithm."""
    if algorithm == "hmac-sha256":
        return shared_secret(secret, encoding, SHORTEST_SECRET)
    key = private_key(secret, "a request")
    if isinstance(key, Unfit):
        return key
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # noqa: PLC0415 - where keys are read

    if algorithm == "ed25519":
        fits = isinstance(key, ed25519.Ed25519PrivateKey)
        return key if fits else Unfit("no Ed25519 key, which ed25519 needs", HOW_TO_MAKE["EdDSA"])
    if algorithm in CURVES:
        curve = CURVE_NAMES[CURVES[algorithm]]
        fits = isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == CURVES[algorithm]
        how = f"`openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:{curve}` makes one"
        return key if fits else Unfit(f"no key on the curve {curve}, which {algorithm} needs", how)
    if not isinstance(key, rsa.RSAPrivateKey):
        return Unfit(f"no RSA key, which {algorithm} needs", HOW_TO_MAKE["RSA"])
    if key.key_size < SHORTEST_RSA:
        message = f"an RSA key of {key.key_size} bits, and {algorithm} needs {SHORTEST_RSA} at least"
        return Unfit(message, HOW_TO_MAKE["RSA"])
    return key
