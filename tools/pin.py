"""Pin the newest versions that pyproject.toml allows in requirements/*.txt: hashes, no addresses, Python 3.11 and up."""

import os
import re
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path("requirements")
# Later sets agree with earlier ones, because they are installed into the same environment.
SETS = {
    "run": ["pyproject.toml", "--all-extras", "--group", "build"],
    "dev": ["pyproject.toml", "--all-extras", "--group", "dev"],
    "bench": ["pyproject.toml", "--all-extras", "--group", "bench"],
    "real": ["pyproject.toml", "--all-extras", "--group", "real"],
    "pin": ["--group", "pin"],
}
HEAD = "# Written by `make requirements`; see README.md here. Do not edit.\n"


def compile_set(name: str, options: list[str], agreed: list[Path]) -> Path:
    """Resolve one set for every supported Python and platform, and write it."""
    pins = REQUIREMENTS / f"{name}.txt"
    constraints = [word for path in agreed for word in ("--constraint", str(path))]
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11"]
    command += ["--upgrade", "--generate-hashes", "--no-header", "--no-annotate", *options, *constraints]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True, env=environment())
    if done.returncode:
        sys.exit(f"{pins} was not renewed, for the reason above")
    if found := re.search(r".*(?:://|--index|--find-links).*", done.stdout):
        sys.exit(f"{pins} was not renewed: it would hold an address: {found[0]}")
    pins.write_text(HEAD + done.stdout, encoding="utf-8")
    return pins


def environment() -> dict[str, str]:
    """Give uv, which does not read pip's settings, the certificates that pip is told to trust."""
    trusted = os.environ.get("PIP_CERT")
    return ({"SSL_CERT_FILE": trusted} if trusted else {}) | os.environ


if __name__ == "__main__":
    os.chdir(Path(__file__).parent.parent)
    agreed: list[Path] = []
    for name, options in SETS.items():
        print(f"pinning requirements/{name}.txt", file=sys.stderr)
        agreed.append(compile_set(name, options, agreed))
