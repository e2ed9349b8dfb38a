"""The pages of the public API say what the code has, and the docs teach nothing else."""

import ast
import importlib
import re
from pathlib import Path

import callsheet
from callsheet.testing import pytest_plugin
from tests.docs.fences import fences
from tools import api
from tools.definitions import definition, offered

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
OFFERED = [(where, name) for where in api.MODULES for name in offered(where)]
OUT_OF_DATE = "the public API has changed: run make reference, look at the difference, and name it in CHANGELOG.md"


def test_the_page_is_made_from_the_code():
    assert api.PAGE.read_text("utf-8") == api.page(), OUT_OF_DATE


def test_the_list_is_made_from_the_code():
    written, made = api.LIST.read_text("utf-8").splitlines(), api.the_list().splitlines()
    assert {"gone": set(written) - set(made), "new": set(made) - set(written)} == {"gone": set(), "new": set()}, (
        OUT_OF_DATE
    )
    assert written == made, OUT_OF_DATE


def test_every_offered_name_is_on_the_page_and_explained():
    known = {f"{where}.{name}": definition(name, where) for where, name in OFFERED}
    assert [name for name, each in known.items() if each not in api.public()] == []
    assert [name for name, each in known.items() if not each.doc] == [], "these have no docstring"


def test_what_was_read_is_what_is_imported():
    for where, name in OFFERED:
        known, imported = definition(name, where), getattr(importlib.import_module(where), name)
        if known.kind in ("class", "def"):
            assert (imported.__module__, imported.__qualname__) == (known.module.name, known.name)
        else:
            assert imported is getattr(importlib.import_module(known.module.name), known.name)


def test_everything_that_a_star_brings_is_there():
    assert {name for where, name in OFFERED if where == "callsheet"} == set(callsheet.__all__)
    assert len(callsheet.__all__) == len(set(callsheet.__all__))


def test_each_type_in_a_public_signature_is_public():
    for each in api.public():
        assert set(api.types_in(each, api.public())) <= api.public().keys()


def test_what_is_internal_is_there_to_be_hidden():
    kept = {one.name: one for each in api.public() if each.kind == "class" for one in (each, *each.bases)}
    for owner in filter(None, api.INTERNAL):
        family = (kept[owner], *kept[owner].bases)
        assert set(api.INTERNAL[owner].split()) <= {part.name for one in family for part in one.own}, owner


def test_a_type_that_is_internal_stands_in_a_signature():
    signed = {name for each in api.public() for part in (each, *api.parts(each, api.public())) for name in part.types}
    assert set(api.INTERNAL[""].split()) <= signed


def test_the_options_of_pytest_are_on_the_page():
    source = ast.parse(Path(pytest_plugin.__file__).read_text("utf-8"))
    options = {
        node.value for node in ast.walk(source) if isinstance(node, ast.Constant) and str(node.value).endswith("record")
    }
    assert options == {"--callsheet-record", "callsheet_record"}
    assert all(f"`{option}`" in api.page() for option in options)


def test_each_link_leads_to_the_heading_of_its_name():
    headings = {}
    for heading in re.findall(r"^###? (\S.*)$", api.page(), re.MULTILINE):
        slug = api.slug_of(heading)
        same = sum(known.rpartition("-")[0] == slug or known == slug for known in headings)
        headings[f"{slug}-{same}" if same else slug] = heading
    linked = set(re.findall(r"\[([^\]]+)\]\(#([^)]+)\)", api.page()))
    assert len(linked) > 100
    assert linked <= {(heading, slug) for slug, heading in headings.items()}


def test_the_docs_teach_public_names_only():
    public = {f"{where}.{name}" for where, name in OFFERED}
    internal = {page.relative_to(ROOT).as_posix(): taught(page) - public for page in PAGES}
    assert {page: names for page, names in internal.items() if names} == {}


def test_the_docs_teach_something():
    found = {name for page in PAGES for name in taught(page)}
    assert {
        "callsheet.Client",
        "callsheet.deadline",
        "callsheet.auth.request",
        "callsheet.testing.FakeTransport",
    } <= found
    assert "callsheet.practice.models.NewUser" in found


def taught(page):
    """The names of ours that a page's snippets import, or name as `module:name` on a sheet."""
    found = set()
    for fence in fences(page):
        found |= {f"{where}.{name}" for where, name in re.findall(r"\b(callsheet[.\w]*):([A-Za-z_]\w*)", fence.text)}
        for node in ast.walk(ast.parse(fence.text)) if fence.language == "python" else ():
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "callsheet":
                found |= {f"{node.module}.{alias.name}" for alias in node.names}
            elif isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names if alias.name.startswith("callsheet.")}
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "callsheet":
                found.add(f"callsheet.{node.attr}")
    return found
