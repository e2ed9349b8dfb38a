"""Certificates and keys in files, and where this machine keeps the authorities it trusts. Nothing here connects."""
