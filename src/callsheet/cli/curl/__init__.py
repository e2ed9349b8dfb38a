"""Curl command lines: `import curl` reads them into a sheet, `--curl` writes them for a request."""
