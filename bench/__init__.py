"""Compares a call's cost with bare requests, httpx2, aiohttp and pycurl: `python -m bench --help`."""
