"""`stores.cache`: where answers are kept."""

from __future__ import annotations

import os
import re
from pathlib import Path

from callsheet.secret import Secret
from callsheet.settings import CacheStoreSettings
from callsheet.sheet.forms.reading import FormOf, Reading, Spot, misfit
from callsheet.sheet.forms.record import Key, Record, plain
from callsheet.sheet.forms.scalars import SIZE, text_or_secret
from callsheet.sheet.tree.findings import Misfit
from callsheet.sheet.tree.node import MappingNode, Node
from callsheet.sheet.words.store_url import STORE_URL, is_server

EXPECTED = "`memory`, `sqlite:PATH`, or the URL of a Valkey or Redis such as `valkey://127.0.0.1:6379/0`"
SQLITE = "sqlite:"
LEAST_FILE = 256 * 1024
"""Bytes: tables without any answer take an eighth of that."""
IN_MEMORY = {":memory:", "memory"}


def _place(node: Node, spot: Spot, reading: Reading) -> str | Secret | Path:
    """`memory`, the absolute path of a file, or a URL."""
    text = text_or_secret(node, spot, reading, EXPECTED)
    if text == "memory":
        return text
    if text.startswith(SQLITE):
        return _file(text.removeprefix(SQLITE), node, spot, reading)
    if is_server(text):
        return STORE_URL.read(node, spot, reading)  # type: ignore[no-any-return]
    if re.match(r"[^:/]*\.(db|sqlite3?)$|[./~]", text):
        raise misfit(node, spot, EXPECTED, f"a file is written `sqlite:{text}`")
    raise misfit(node, spot, EXPECTED)


def _file(text: str, node: Node, spot: Spot, reading: Reading) -> Path:
    """The path of a file that is there, or can be made. Relative ones begin at the sheet."""
    if not text or "\0" in text:
        raise misfit(node, spot, EXPECTED, "write the path of a file after `sqlite:`")
    if text in IN_MEMORY:
        raise misfit(node, spot, EXPECTED, "answers are kept in the memory of each process by `cache: memory`")
    if text.startswith("//"):
        plain_path = text.removeprefix("///") or "cache.db"
        raise misfit(
            node, spot, EXPECTED, f"after `sqlite:` comes a path, without slashes before it: `sqlite:{plain_path}`"
        )
    try:
        path = reading.folder / Path(text).expanduser()
    except RuntimeError as error:  # `~nobody`
        raise misfit(node, spot, EXPECTED, str(error)) from None
    why = _why_not(path)
    if why:
        raise Misfit(
            node.place, f"{spot}: {path} cannot be written: {why}", "name a file in a folder that can be written"
        )
    return path.absolute()


def _why_not(path: Path) -> str:
    """Why a file can be neither opened nor made there; "" if it can."""
    try:
        if path.is_dir():
            return "it is a folder"
        if path.exists():
            return "" if path.is_file() and os.access(path, os.R_OK | os.W_OK) else "it is no file of yours"
        folder = next(each for each in path.parents if os.path.lexists(each))
        if not folder.is_dir():
            return f"{folder} is no folder"
    except OSError as error:
        return str(error.strerror)
    return "" if os.access(folder, os.W_OK | os.X_OK) else f"nothing can be written to {folder}"


_PLACE = FormOf(_place, {"type": "string", "pattern": r"^memory$|^sqlite:|^(valkey|redis)s?://|^unix://|\$\{"})
_RECORD = Record(
    (
        Key("url", _PLACE, "`memory`, `sqlite:PATH` or the URL of a Valkey or Redis"),
        Key("max_bytes", SIZE, "what answers may take in memory, or the file on the disk"),
    ),
    topic="stores.cache",
    expected=f'{EXPECTED}, or a mapping such as `{{url: "sqlite:cache.db", max_bytes: 256MiB}}`',
)


def _cache_store(node: Node, spot: Spot, reading: Reading) -> CacheStoreSettings:
    if not isinstance(node, MappingNode):
        return CacheStoreSettings(_place(node, spot, reading))
    values = plain(_RECORD.read(node, spot, reading))
    place = values.pop("url", "memory")
    if "max_bytes" in values:
        written = node.get("max_bytes") or node
        if not isinstance(place, Path) and place != "memory":
            hint = "remove it, and set `maxmemory` and a policy such as `allkeys-lru` there"
            raise Misfit(written.place, f"{spot.under('max_bytes')}: a Valkey or Redis bounds itself", hint)
        if isinstance(place, Path) and values["max_bytes"] < LEAST_FILE:
            raise misfit(written, spot.under("max_bytes"), "256KiB or more for a SQLite file")
    return CacheStoreSettings(place, **values)


CACHE_STORE = FormOf(_cache_store, {"anyOf": [_PLACE.schema(), _RECORD.schema()]})
