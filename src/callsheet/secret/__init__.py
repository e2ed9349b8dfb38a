"""Secrets: the type, where their text comes from, and what is a credential by its name."""

from callsheet.secret.secret import CONTROL, MASK, SHORTEST_FOUND_BY_VALUE, Derived, MountedFile, Secret, redact

__all__ = ["CONTROL", "MASK", "SHORTEST_FOUND_BY_VALUE", "Derived", "MountedFile", "Secret", "redact"]
