"""TLS: which certificates we trust, which one we show, and which versions of the protocol we accept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from callsheet.secret import Secret
from callsheet.settings.reasons import chosen


@dataclass(frozen=True, slots=True)
class TLS:
    """Which certificates of the server are trusted, which one is shown to it, and how old the protocol may be."""

    min_version: Literal["1.2", "1.3"] = chosen("1.2", "`min_version` of TLS (1.2: older ones are broken, RFC 8996)")
    ca: Path | None = chosen(
        None,
        "`ca` is a PEM file that replaces the system's trust store for this service "
        "(none: the system's, else certifi's)",
    )
    extra_ca: Path | None = chosen(None, "`extra_ca` is one that is trusted beside it")
    cert: Path | None = chosen(
        None,
        "`cert` is the client certificate, a PEM file with the intermediate certificates behind it "
        "(none: who calls is proven otherwise)",
    )
    key: Path | None = chosen(None, "`key` is the PEM file of its private key (none: it is in the same file)")
    key_password: Secret | None = chosen(None, "`key_password` opens a key that is encrypted")
    pins: tuple[str, ...] = chosen(
        (),
        "`pins` are `sha256//` pins of public keys of which the server must have one "
        "(none: a pin that is forgotten when keys change is an outage)",
    )
    verify: bool = chosen(
        True,
        "`verify` says whether the server's certificate is checked "
        "(true: unchecked, anybody on the way can be the service)",
    )
    insecure_reason: str | None = chosen(
        None, "`insecure_reason` says why it is not and must stand beside `verify: false`"
    )

    def elsewhere(self) -> TLS:
        """The settings for an origin other than the service's own: verified, without the client certificate and the pins."""
        return replace(self, cert=None, key=None, key_password=None, pins=(), verify=True, insecure_reason=None)
