"""Texts that go into a header field: which characters they may hold, and which of them are secrets."""

from __future__ import annotations

import re

from callsheet.secret import CONTROL, Secret
from callsheet.sheet.forms.reading import Reading, Spot, is_function, misfit
from callsheet.sheet.forms.scalars import scalar, written_text
from callsheet.sheet.tree.findings import Misfit
from callsheet.sheet.tree.masks import CREDENTIAL_HEADER
from callsheet.sheet.tree.node import Node, Scalar

TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
SET_BY_TRANSPORT = frozenset({"content-length", "transfer-encoding", "expect"})


def header_name(key: Scalar, spot: Spot) -> str:
    """The name of a header field: token characters (RFC 9110 5.1), and none that the transport sets."""
    name = key.value
    if not isinstance(name, str) or not TOKEN.fullmatch(name):
        expected = "letters, digits and !#$%&'*+-.^_`|~ only"
        raise Misfit(key.place, f"{spot}: expected the name of a header, {expected}")
    if name.lower() in SET_BY_TRANSPORT:
        raise Misfit(key.place, f"{spot}: the header `{name}` is set by the transport", "remove it")
    return name


def header_value(node: Node, spot: Spot, reading: Reading) -> str | Secret:
    """The value of a header: a secret if it comes through `${...}`, or if the header's name says that it is one."""
    expected = "one value"
    if not isinstance(node, Scalar):
        raise misfit(node, spot, expected)
    is_secret = isinstance(node.value, Secret) or is_function(node)
    if is_secret or CREDENTIAL_HEADER.search(spot.path.rpartition(".")[2]):
        return checked_secret(reading.secret(node, spot), node, spot)
    filled = scalar(node, spot, reading, expected)
    if filled.through:
        return checked_secret(reading.secret(node, spot), node, spot)
    text = written_text(filled)
    if text is None:
        raise misfit(filled, spot, expected)
    _check_value(text, filled, spot)
    return text.strip(" \t")


def checked_secret(secret: Secret, node: Scalar, spot: Spot) -> Secret:
    """The secret, after a check that a header may hold it. One that a function gives is checked when it is asked."""
    if not secret.is_asked:
        text = secret.reveal()
        check_line(text, node, spot)
        _check_value(text, node, spot)
    return secret.as_line()


def check_line(text: str, node: Scalar, spot: Spot) -> None:
    """Refuse a secret that holds a control character: it was copied wrong, or could end a header field."""
    if CONTROL.search(text):
        what = "a line break" if "\n" in text or "\r" in text else "a control character"
        raise Misfit(node.place, f"{spot}: {what} within the secret", "copy it again; one at its end is cut off")


def _check_value(text: str, node: Scalar, spot: Spot) -> None:
    if any(c in text for c in "\r\n\0"):
        raise Misfit(node.place, f"{spot}: a line break or NUL, which no header may hold", "remove it")
    if not all(ord(c) < 256 for c in text):
        raise Misfit(node.place, f"{spot}: a character outside Latin-1, which no header may hold", "encode it")


def checked_line(secret: Secret, node: Scalar, spot: Spot) -> Secret:
    """The secret, after a check for control characters. One that a function gives is checked when it is asked."""
    if not secret.is_asked:
        check_line(secret.reveal(), node, spot)
    return secret.as_line()


def key_text(key: Scalar, spot: Spot) -> str:
    """The text of a key. Raises Misfit for a key that is a number, or empty."""
    if not isinstance(key.value, str) or not key.value:
        raise Misfit(key.place, f"{spot}: expected a name in text", "write it in quotes")
    return key.value
