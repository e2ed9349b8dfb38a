"""Whom we trust, who we say we are, and under which protocol."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from callsheet.secret import Secret


@dataclass(frozen=True, slots=True)
class TLS:
    """`min_version` of TLS (1.2: older ones are broken, RFC 8996). `ca` is a PEM file that replaces the system's trust
    store for this service (none: the system's, else certifi's); `extra_ca` is one that is trusted beside it.

    `cert` is the client certificate, a PEM file with the intermediate certificates behind it (none: who calls is
    proven otherwise); `key` is the PEM file of its private key (none: it is in the same file); `key_password` opens a key
    that is encrypted. `pins` are `sha256//` pins of public keys of which the server must have one (none: a pin that is
    forgotten when keys change is an outage).

    `verify` says whether the server's certificate is checked (true: unchecked, anybody on the way can be the service).
    `insecure_reason` says why it is not and must stand beside `verify: false`.
    """

    min_version: Literal["1.2", "1.3"] = "1.2"
    ca: Path | None = None
    extra_ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    key_password: Secret | None = None
    pins: tuple[str, ...] = ()
    verify: bool = True
    insecure_reason: str | None = None

    def elsewhere(self) -> TLS:
        """The same for another origin than the service's: whom to trust, but not as whom to be known, and verified."""
        return replace(self, cert=None, key=None, key_password=None, pins=(), verify=True, insecure_reason=None)
