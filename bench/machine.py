"""What the numbers were measured on."""

import os
import platform
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

import pycurl

from bench.servers import nginx_path

PACKAGES = ("callsheet", "pydantic", "pycurl", "requests", "httpx2", "aiohttp", "granian")


def cpu_model():
    """The processor's name, as far as this system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def machine():
    """Processor, cores, system, Python, and how busy the machine was when asked."""
    return {
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "load": round(os.getloadavg()[0], 2),
    }


def versions():
    """The versions of everything that takes part."""
    found = {name: version(name) for name in PACKAGES}
    found["libcurl"] = pycurl.version_info()[1]
    if nginx_path():
        said = subprocess.run([nginx_path(), "-v"], capture_output=True, text=True, check=False).stderr
        found["nginx"] = said.strip().rpartition("/")[2]
    if shutil.which("curl"):
        said = subprocess.run(["curl", "--version"], capture_output=True, text=True, check=False).stdout
        found["curl"] = " ".join(said.split()[1:2])
    return found
