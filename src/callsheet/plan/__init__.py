"""An operation and its settings, compiled once; every call reuses it."""
