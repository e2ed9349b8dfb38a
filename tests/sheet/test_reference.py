"""The reference page: its examples load, and it lists what is supported and what is not."""

import re
import textwrap
from pathlib import Path

import pytest

from callsheet.sheet.words.key_table import OPERATION_KEYS, SERVICE_KEYS, TOP_KEYS
from tests.docs.fences import fences
from tests.sheet.sheets import HEAD, parse

PAGE = Path(__file__).parents[2] / "docs/reference/sheet.md"
TEXT = PAGE.read_text("utf-8")
SUPPORTED, NOT_YET = TEXT.split("## Not supported yet")
EXAMPLES = [fence.text for fence in fences(PAGE) if fence.language == "yaml"]


@pytest.mark.parametrize("text", EXAMPLES)
def test_the_examples_load(text):
    if not text.startswith(("callsheet:", "api_config:")):
        text = HEAD + textwrap.indent(text, "    ")
    sheet = parse(text, variables={"SHOP_TOKEN": "a-token", "TOKEN": "a-token"})
    assert sheet.services
    assert sheet.warnings == ()


KEYS = {key.name: key for key in (*SERVICE_KEYS, *OPERATION_KEYS, *TOP_KEYS)}


@pytest.mark.parametrize("name", [name for name, key in KEYS.items() if key.form])
def test_every_supported_key_is_on_the_page(name):
    assert re.search(rf"\b{name}\b", SUPPORTED)


def test_the_keys_that_are_not_supported_yet_are_listed_as_such():
    listed = set(re.findall(r"`([^`]*)`", NOT_YET)[0].split()) | set(re.findall(r"`([^`]*)`", NOT_YET)[-1].split())
    assert listed == {name for name, key in KEYS.items() if key.form is None}
