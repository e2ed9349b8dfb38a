"""The public tests of HTTP caches, put to clients: `python -m bench cache-tests`."""
