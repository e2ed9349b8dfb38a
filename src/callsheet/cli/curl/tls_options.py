"""`--curl`: writes the settings of `tls` as curl's options."""

from __future__ import annotations

from callsheet.cli.curl.shell_words import Piece, VariableNames, joined
from callsheet.settings.tls import TLS


def tls_words(tls: TLS, names: VariableNames) -> list[list[Piece]]:
    """The options with which curl trusts the same authorities, and shows the same certificate, as the service's calls."""
    # curl takes one file in place of its own store; the authority of `extra_ca` is the one that this service needs.
    authority = tls.ca or tls.extra_ca
    # A `:` in the path of a certificate would begin a password.
    cert = None if tls.cert is None else str(tls.cert).replace(":", "\\:")
    paths = {"--cacert": authority, "--cert": cert, "--key": tls.key}
    words: list[list[Piece]] = [["--tlsv1.3"]] if tls.min_version == "1.3" else []
    words += [[f"{option} ", joined([str(path)])] for option, path in paths.items() if path is not None]
    if tls.key_password is not None:
        words.append(["--pass ", joined(names.word(tls.key_password.reveal(), "key_password"))])
    if tls.pins:
        words.append(["--pinnedpubkey ", joined([";".join(tls.pins)])])
    if not tls.verify:
        words.append(["--insecure"])
    return words
