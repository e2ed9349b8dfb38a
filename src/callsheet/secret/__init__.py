"""Secrets: the type, where their text comes from, and which names are those of credentials."""

from callsheet.secret.secret import CONTROL, MASK, SHORTEST_FOUND_BY_VALUE, Derived, MountedFile, Secret, redact

__all__ = ["CONTROL", "MASK", "SHORTEST_FOUND_BY_VALUE", "Derived", "MountedFile", "Secret", "redact"]
