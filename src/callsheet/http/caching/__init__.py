"""The rules of HTTP caching, for a cache of one user: values in, values out (RFC 9111, 5861, 8246, 9211)."""
