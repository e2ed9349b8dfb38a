"""Curl command lines: `import curl` makes a sheet's operation of one, `--curl` makes one of a request."""
