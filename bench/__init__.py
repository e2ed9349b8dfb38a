"""Compares the cost of calls and transfers with bare requests, httpx2, aiohttp, pycurl and curl: `python -m bench --help`."""
