"""Whom we trust, and under which protocol."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class TLS:
    """`min_version` of TLS (1.2: older ones are broken, RFC 8996); `ca` is a PEM file that replaces the system's trust
    store for this service (None: the system's, else certifi's).
    """

    min_version: Literal["1.2", "1.3"] = "1.2"
    ca: Path | None = None
