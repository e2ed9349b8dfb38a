"""Which Callsheet this is."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("callsheet")
    """The version of Callsheet that is installed, such as `0.1.0`; `0` if the package is not installed."""
except PackageNotFoundError:
    __version__ = "0"

USER_AGENT = f"callsheet/{__version__}"
