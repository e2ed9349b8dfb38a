"""`tls`: the authorities that a service's certificate is checked by, and the client certificate to present."""

from __future__ import annotations

import base64
import binascii
import re
from pathlib import Path
from typing import NoReturn

from callsheet import settings
from callsheet.sheet.forms.reading import Form, FormOf, Reading, Spot, misfit
from callsheet.sheet.forms.record import Key, Layer, Record, Written, plain
from callsheet.sheet.forms.scalars import SWITCH, Choice, ListOf, Text, scalar
from callsheet.sheet.forms.secret_text import SECRET_KEY
from callsheet.sheet.tree.findings import Findings, Misfit
from callsheet.sheet.tree.node import ListNode, MappingNode, Node
from callsheet.tls.pem import CERTIFICATE, PemProblem, blocks, problem_of

PIN = re.compile(r"sha256//(?P<digest>[A-Za-z0-9+/]{43}=)")
EXPECTED_PIN = "a pin: `sha256//` and the 44 characters of a SHA-256 in base64"
OTHER_PIN = re.compile(r"(?:pin-)?sha256(?:/|=|:)?", re.IGNORECASE)


PEM_FILES = "the path of a PEM file"


def _pem_file(node: Node, spot: Spot, reading: Reading) -> Path:
    """The path, relative to the sheet, of a file that is there, can be read and is PEM."""
    filled = scalar(node, spot, reading, PEM_FILES)
    text = str(filled.value) if isinstance(filled.value, Path) else filled.value
    if not isinstance(text, str) or not text or "\0" in text:
        raise misfit(filled, spot, PEM_FILES)
    if "-----BEGIN" in text:
        raise Misfit(node.place, f"{spot}: expected {PEM_FILES}, found what is in one", "write it to a file")
    path = reading.folder / text
    if not path.is_file():
        raise Misfit(node.place, f"{spot}: there is no such file", f"looked for it in {reading.folder}")
    try:
        content = path.read_text("latin-1")
    except OSError as error:
        hint = "mend its permissions"
        raise Misfit(node.place, f"{spot}: the file cannot be read: {error.strerror}", hint) from None
    if "-----BEGIN " not in content:
        hint = "`openssl x509 -in FILE -inform der` makes PEM of a DER certificate"
        raise Misfit(node.place, f"{spot}: the file is not PEM: it has no `-----BEGIN ...` line", hint)
    return path


def _certificate_file(node: Node, spot: Spot, reading: Reading) -> Path:
    path = _pem_file(node, spot, reading)
    if not blocks(path.read_text("latin-1"), CERTIFICATE):
        hint = "it begins with `-----BEGIN CERTIFICATE-----`"
        raise Misfit(node.place, f"{spot}: there is no certificate in that file", hint)
    return path


def _pins(node: Node, spot: Spot, reading: Reading) -> tuple[str, ...]:
    """The pins; a server must have the public key of one of them."""
    if not isinstance(node, ListNode) or not node.items:
        raise misfit(node, spot, "a list of pins", "one for the key of today, one for the next")
    return PINS.read(node, spot, reading)


def _pin(node: Node, spot: Spot, reading: Reading) -> str:
    filled = scalar(node, spot, reading, EXPECTED_PIN)
    text = filled.value
    if isinstance(text, str) and (match := PIN.fullmatch(text)):
        try:
            base64.b64decode(match["digest"], validate=True)
        except binascii.Error:
            pass
        else:
            return text
    meant = isinstance(text, str) and not text.startswith("sha256//") and OTHER_PIN.match(text)
    raise misfit(filled, spot, EXPECTED_PIN, "it begins with `sha256//`, two slashes" if meant else "")


def _refuse_in_defaults(node: Node, spot: Spot, reading: Reading) -> NoReturn:
    """Raise Misfit: the key belongs to one service, and all services share `defaults`."""
    hint = "write it in the service: it belongs to one"
    raise Misfit(node.place, f"`{spot.path}` is not allowed in `defaults`", hint)


PINS = ListOf(FormOf(_pin, {"type": "string", "pattern": r"^sha256//|\$\{"}), "pins")
PEM_FILE = FormOf(_pem_file, {"type": "string"})
CERTIFICATE_FILE = FormOf(_certificate_file, {"type": "string"})
REFUSED = FormOf(_refuse_in_defaults, {"not": {}})


def _tls(cert: Form, key: Form, key_password: Form) -> Form:
    return Record(
        (
            Key("min_version", Choice(("1.2", "1.3")), "of TLS"),
            Key("ca", CERTIFICATE_FILE, "a PEM file that replaces the system's trust store"),
            Key("extra_ca", CERTIFICATE_FILE, "a PEM file that is trusted beside it"),
            Key("cert", cert, "a PEM file: the certificate that is presented"),
            Key("key", key, "a PEM file: its private key, if that is not in the same file"),
            Key("key_password", key_password, "what opens a key that is encrypted"),
            Key(
                "pins",
                FormOf(_pins, {"type": "array", "minItems": 1, **PINS.schema()}),
                "the server has one of these public keys",
            ),
            Key("verify", SWITCH, "false: whoever answers is taken for the service"),
            Key("insecure_reason", Text(), "why `verify` is false"),
        ),
        topic="tls",
        expected='a mapping such as `{min_version: "1.3", ca: ca.pem}`',
    )


TLS = _tls(CERTIFICATE_FILE, PEM_FILE, SECRET_KEY)
TLS_OF_DEFAULTS = _tls(REFUSED, REFUSED, REFUSED)


def check_tls(layer: Layer, spot: Spot, findings: Findings) -> None:
    """Note settings that contradict each other in the merged `tls` of a service."""
    written = layer.get("tls")
    if written is not None and isinstance(written.value, dict):
        check_written_tls(written, spot.under("tls"), findings)


def check_written_tls(written: Written, spot: Spot, findings: Findings) -> None:
    """Note settings that contradict each other in one `tls`, which was read."""
    parts: Layer = written.value
    tls = settings.TLS(**plain(parts))
    if tls.cert is not None and (tls.key is not None or not _is_written("key", written)):
        _note(problem_of(tls.cert, tls.key, tls.key_password), parts, spot, findings)
    elif not _is_written("cert", written):
        for name in ("key", "key_password"):
            if name in parts:
                findings.add(
                    Misfit(parts[name].node.place, f"{spot.under(name)}: there is no `tls.cert`", "write it, too")
                )
    if not tls.verify:
        _note_unverified(tls, written, spot.under("verify"), findings)


def _is_written(name: str, tls: Written) -> bool:
    """Whether a key is written, even if its value could not be read."""
    return name in tls.value or (isinstance(tls.node, MappingNode) and tls.node.get(name) is not None)


def _note(problem: PemProblem | None, parts: Layer, spot: Spot, findings: Findings) -> None:
    if problem is not None:
        place = parts[problem.key].node.place
        findings.add(Misfit(place, f"{spot.under(problem.key)}: {problem.what}", problem.hint))


def _note_unverified(tls: settings.TLS, written: Written, spot: Spot, findings: Findings) -> None:
    place = written.value["verify"].node.place
    if tls.insecure_reason is None:
        if _is_written("insecure_reason", written):
            return
        hint = '`ca` trusts an authority of your own; else write `insecure_reason: "why"` beside it'
        findings.add(Misfit(place, f"{spot}: false leaves open who answers, so it needs an `insecure_reason`", hint))
        return
    told = f"{spot}: the service's certificate is not checked: {tls.insecure_reason}"
    findings.warn(Misfit(place, told, "whoever is on the way can read and change everything"))
