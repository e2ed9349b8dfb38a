"""Checks the proxies of services. Only scheme, host and port of a proxy are shown."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from callsheet.cli.doctor.examined import Examined
from callsheet.cli.doctor.found import Found, ok, problem, warning
from callsheet.errors import UsageError
from callsheet.secret import Secret
from callsheet.settings import Settings


def check_proxies(examined: Examined) -> Iterator[Found]:
    """The proxy of each service, and proxy variables that are set but not used."""
    from urllib.request import getproxies_environment

    variables = getproxies_environment()
    named = ", ".join(sorted(f"{name}_proxy ({shown(url)})" for name, url in variables.items() if name != "no"))
    settings = {service.name: service.settings() for service in examined.services}
    for name, each in settings.items():
        yield from _of_service(name, each)
    ignoring = [name for name, each in settings.items() if not each.trust_env and each.proxy is None]
    if named and (ignoring or not settings):
        who = f"{', '.join(ignoring)} goes without" if len(ignoring) == 1 else f"{', '.join(ignoring)} go without"
        told = who if settings else "no service reads them unasked"
        yield warning(f"{named} set, and not used: {told}", "write `proxy:`, or `trust_env: true`, in the service")
    elif not named and all(each.proxy is None for each in settings.values()):
        unread = examined.sheet is None or examined.errors
        yield ok("none in the environment" if unread else "none: neither on the sheet nor in the environment")


def _of_service(name: str, settings: Settings) -> Iterator[Found]:
    if settings.proxy is not None:
        try:
            url = settings.proxy.reveal() if isinstance(settings.proxy, Secret) else settings.proxy
        except OSError:
            yield problem(f"{name}: its proxy cannot be read", "see the variables above")
            return
        yield ok(f"{name}: through {shown(url)}, by the sheet")
        return
    if settings.trust_env:
        yield _of_environment(name, settings)


def _of_environment(name: str, settings: Settings) -> Found:
    """The proxy that a service with `trust_env` takes from the environment."""
    from callsheet.transports.connection_settings import ConnectionSettings
    from callsheet.transports.curl.next_hop import next_hop_for

    try:
        proxy = next_hop_for(ConnectionSettings(trust_env=True)).proxy_for(settings.origin)
    except (UsageError, ValueError) as error:
        return problem(f"{name}: {error}", "mend the variable")
    if proxy is None:
        return ok(f"{name}: no proxy; the environment names none for its host")
    return ok(f"{name}: through {proxy.scheme}://{proxy.host}:{proxy.port}, by the environment")


def shown(url: str) -> str:
    """Scheme, host and port of a proxy's URL; user name and password are masked."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "not a URL"
    if "@" in url and "@" not in parts.netloc:  # a password with a slash in it
        return "not a URL"
    return f"{parts.scheme}://{'***@' if '@' in parts.netloc else ''}{parts.hostname or '?'}{port}"
