"""Checks versions and extras installed here against what the sheet needs."""

from __future__ import annotations

import importlib.util
import platform
import ssl
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from callsheet.cli.doctor.examined import Examined
from callsheet.cli.doctor.found import Found, ok, problem

EXTRAS = {
    "aws": ("botocore",),
    "br": ("brotli", "brotlicffi"),
    "cli": ("click",),
    "jwt": ("jwt",),
    "practice": ("starlette",),
    "schema": ("jsonschema_rs",),
    "signing": ("http_message_signatures",),
    "valkey": ("redis",),
}
"""Each extra with its modules: the extra is installed if one of them can be imported."""


def check_versions(examined: Examined, extras: Mapping[str, tuple[str, ...]] = EXTRAS) -> Iterator[Found]:
    """The versions of Callsheet, Python and libcurl; the extras that are installed; those that the sheet needs and lacks."""
    import pycurl

    from callsheet.version import __version__

    libcurl = pycurl.version_info()
    yield ok(f"callsheet {__version__}, Python {platform.python_version()} on {platform.system()} {platform.machine()}")
    yield ok(f"libcurl {libcurl[1]} with {libcurl[5]}; Python's own: {ssl.OPENSSL_VERSION}")
    present = {name for name, modules in extras.items() if any(map(_is_there, modules))}
    absent = [name for name in extras if name not in present]
    yield ok(f"extras: {', '.join(sorted(present))}" + (f"; not installed: {', '.join(absent)}" if absent else ""))
    for name, why in needed_by(examined).items():
        if name not in present:
            yield problem(f"{why} needs the extra `{name}`", f'pip install "callsheet[{name}]"')
    if any(service.settings().http2 for service in examined.services) and not libcurl[4] & pycurl.VERSION_HTTP2:
        yield problem("`http2: true`, and this libcurl speaks HTTP/1.1 only", "install a pycurl with a newer libcurl")


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def needed_by(examined: Examined) -> Mapping[str, str]:
    """The extras that the sheet needs, each with the setting that needs it."""
    needed: dict[str, str] = {}
    if examined.sheet is not None and examined.sheet.stores.limits is not None:
        needed["valkey"] = "`stores.limits`"
    elif examined.sheet is not None and examined.sheet.stores.cache.is_server:
        needed["valkey"] = "`stores.cache`"
    for service in examined.services:
        for operation in (None, *service.operations):
            for name, (has, what) in NEEDS.items():
                if has(service.settings(operation)):
                    needed.setdefault(name, f"{what} of service `{service.name}`")
            if operation is not None and _has_schema(service.operations[operation]):
                needed.setdefault("schema", f"the JSON Schema of `{service.name}.{operation}`")
    return needed


NEEDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "jwt": (lambda settings: _signs_jwts(settings.auth), "a JWT"),
    "signing": (lambda settings: settings.sign is not None and settings.sign.kind == "http_signature", "`sign`"),
    "aws": (lambda settings: settings.sign is not None and settings.sign.kind == "aws", "`sign: aws`"),
}


def _signs_jwts(auth: Any) -> bool:
    return auth is not None and (auth.kind == "jwt" or not {"assertion", "client_assertion"}.isdisjoint(auth.options))


def _has_schema(operation: Any) -> bool:
    returns = operation.returns
    refs = [operation.json, *(returns.values() if isinstance(returns, Mapping) else [returns])]
    return any(getattr(ref, "kind", None) == "json_schema" for ref in refs)
