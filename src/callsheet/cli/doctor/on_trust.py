"""Checks the certificates in files: trusted authorities and client certificates. Nothing is sent."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from callsheet.cli.doctor.examined import Examined
from callsheet.cli.doctor.found import Found, counted, ok, problem, skipped, warning
from callsheet.process.exposure import exposed_mode
from callsheet.settings import TLS
from callsheet.tls.certificate import Certificate, certificates_in

SOON = 30
"""A certificate that ends in fewer days than this is a warning."""


def check_store(examined: Examined, now: datetime) -> Iterator[Found]:
    """Which authorities are trusted if the sheet names none, and why these."""
    from callsheet.tls.trust_store import trust_folder, trust_store

    for name, taken in (("SSL_CERT_FILE", Path.is_file), ("SSL_CERT_DIR", Path.is_dir)):
        named = os.environ.get(name)
        if named and not taken(Path(named)):
            kind = "file" if taken is Path.is_file else "folder"
            yield warning(f"{name} is ignored: there is no {kind} {named}", f"mend or unset {name}")
    path = Path(trust_store())
    yield from of_authorities(path, f"{path} ({_why(path)})", now, is_own=False)
    folder = trust_folder()
    if folder is not None:
        files = sum(1 for _ in Path(folder).iterdir())
        yield ok(f"and the folder {folder} ({counted(files, 'file')}), named by SSL_CERT_DIR")


def _why(path: Path) -> str:
    import certifi

    if os.environ.get("SSL_CERT_FILE") == str(path):
        return "named by SSL_CERT_FILE"
    return "certifi's: no store of the system's was found" if str(path) == certifi.where() else "the system's"


def of_authorities(path: Path, told: str, now: datetime, *, is_own: bool) -> Iterator[Found]:
    """The certificates in a file of authorities. Expired ones are normal in a system's store, and a warning in one's own."""
    known = _certificates(path)
    if isinstance(known, Found):
        yield known
        return
    over = [each for each in known if each.not_after <= now]
    if not known:
        yield problem(f"{told}: no certificate in it", "name a PEM file that has some")
        return
    if len(over) == len(known):
        yield problem(f"{told}: every certificate in it has expired", "renew it")
        return
    count = f"{told}: {counted(len(known), 'certificate')}"
    if not over:
        yield ok(count)
    elif is_own:
        yield warning(f"{count}, of which {_names(over)} expired", "take what has expired out, and renew it")
    else:
        yield ok(f"{count}, {len(over)} of them expired")


def _names(certificates: Iterable[Certificate]) -> str:
    names = [f"`{each.subject}`" for each in certificates]
    return f"{', '.join(names[:3])} and {len(names) - 3} more" if len(names) > 3 else ", ".join(names)


def _certificates(path: Path) -> list[Certificate] | Found:
    try:
        return certificates_in(path.read_text("latin-1"))
    except OSError as error:
        return problem(f"{path} cannot be read: {error.strerror}", "mend the path or its permissions")
    except ValueError as error:
        return problem(f"{path}: {error}", "export it anew as PEM")


def check_tls(examined: Examined, now: datetime) -> Iterator[Found]:
    """The authorities and client certificates that the services declare."""
    declared = _declared(examined)
    for name, tls in declared.items():
        yield from _of_service(name, tls, now)
    if examined.errors and not declared:
        yield skipped("none could be read")
    elif examined.sheet is not None and not declared:
        yield ok("no service has certificates of its own")


def _declared(examined: Examined) -> dict[str, TLS]:
    settings = {service.name: service.settings().tls for service in examined.services}
    return {name: tls for name, tls in settings.items() if tls.ca or tls.extra_ca or tls.cert}


def _of_service(name: str, tls: TLS, now: datetime) -> Iterator[Found]:
    for key in ("ca", "extra_ca"):
        path = getattr(tls, key)
        if path is not None:
            yield from of_authorities(path, f"{name}: tls.{key} {path.name}", now, is_own=True)
    if tls.cert is not None:
        yield from _identity(name, tls.cert, tls, now)


def _identity(name: str, path: Path, tls: TLS, now: datetime) -> Iterator[Found]:
    """A client certificate: its dates, whether its key fits, and whether others can read the key."""
    from callsheet.tls.pem import problem_of

    known = _certificates(path)
    if isinstance(known, Found):
        yield known
        return
    told = f"{name}: tls.cert {path.name}"
    if not known:
        yield problem(f"{told}: no certificate in it")
        return
    yield of_dates(known[0], told, now)
    wrong = problem_of(path, tls.key, tls.key_password)
    if wrong is not None:
        yield problem(f"{name}: tls.{wrong.key}: {wrong.what}", wrong.hint)
    else:
        yield ok(f"{name}: its key fits" + (", and its password opens it" if tls.key_password else ""))
    holder = tls.key or path
    mode = exposed_mode(holder)
    if mode:
        yield warning(
            f"{name}: others on this machine can read the key {holder.name} (mode {mode})", f"chmod 600 {holder}"
        )


def of_dates(certificate: Certificate, told: str, now: datetime) -> Found:
    """The validity of a certificate: a problem outside of its dates, a warning if it ends within 30 days."""
    days = (certificate.not_after - now).days
    data = {"not_before": certificate.not_before.isoformat(), "not_after": certificate.not_after.isoformat()}
    who = f"{told}: `{certificate.subject}`, by `{certificate.issuer}`"
    if now < certificate.not_before:
        return problem(f"{who}: not valid before {_date(certificate.not_before)}", "is the clock right?", **data)
    if now >= certificate.not_after:
        return problem(f"{who}: expired on {_date(certificate.not_after)}", "renew it", **data)
    until = f"{who}: valid until {_date(certificate.not_after)}, {counted(days, 'day')} from now"
    return warning(until, "renew it", **data) if days < SOON else ok(until, **data)


def _date(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
