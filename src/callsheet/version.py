"""Which Callsheet this is."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("callsheet")
except PackageNotFoundError:
    __version__ = "0"

USER_AGENT = f"callsheet/{__version__}"
