"""The contract of a transport, shown on real sockets and real TLS, in both colours.

`test_echo.py` needs nothing but a `world` and a `service`, the URL of an echo: a transport to an application in this
process passes it, too. Everything else is about sockets, TLS and libcurl.
"""
