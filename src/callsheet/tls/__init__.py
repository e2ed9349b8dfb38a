"""Reads certificates and keys from files, and finds the authorities that this machine trusts. Nothing here connects."""
