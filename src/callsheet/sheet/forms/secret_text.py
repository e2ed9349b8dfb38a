"""A text of the sheet that is kept as a secret."""

from __future__ import annotations

from dataclasses import dataclass

from callsheet.secret import Secret
from callsheet.sheet.forms.header_text import check_line, checked_line, checked_secret
from callsheet.sheet.forms.reading import JsonSchema, Reading, Spot, misfit
from callsheet.sheet.tree.node import Node, Scalar


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretText:
    """A text that is kept as a secret.

    `is_sent_plain`: it goes into a header as it is, so it must fit there. `is_line`: control characters are refused. Without
    `warns`, it may be written out on the sheet. An empty text is refused unless `may_be_empty`.
    """

    is_sent_plain: bool = True
    is_line: bool = True
    warns: bool = True
    may_be_empty: bool = False

    def read(self, node: Node, spot: Spot, reading: Reading) -> Secret:
        """The text as a secret."""
        if not isinstance(node, Scalar):
            raise misfit(node, spot, "a text")
        if self.may_be_empty and node.value == "":
            return Secret("")
        if not self.warns and isinstance(node.value, str) and "${" not in node.text and node.text:
            check_line(node.text, node, spot)
            return Secret(node.text)
        secret = reading.secret(node, spot)
        if not (self.may_be_empty or secret.is_asked or secret.reveal()):
            raise misfit(node, spot, "a text that is not empty", "write `${NAME}` and set the variable")
        if self.is_sent_plain:
            return checked_secret(secret, node, spot)
        return checked_line(secret, node, spot) if self.is_line else secret

    def schema(self) -> JsonSchema:
        """The JSON Schema of the values that are read."""
        return {"type": ["string", "number"]}


SECRET_TEXT = SecretText(is_sent_plain=False)
SECRET_KEY = SecretText(is_sent_plain=False, is_line=False)
"""A key or passphrase: a key in PEM has several lines."""
