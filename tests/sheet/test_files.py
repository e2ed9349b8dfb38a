"""Which file is read, and what is told when it cannot be."""

import os
import subprocess
import sys

import pytest

from callsheet.sheet import Sheet
from tests.sheet.sheets import HEAD, errors


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_argument_then_the_variable_then_the_usual_name(folder):
    for name in ("callsheet.yaml", "other.yaml", "third.yaml"):
        (folder / name).write_text(HEAD)
    variables = {"CALLSHEET_FILE": "other.yaml"}
    assert Sheet.load(folder / "third.yaml", variables=variables).name == str(folder / "third.yaml")
    assert Sheet.load(variables=variables).name == "other.yaml"
    assert Sheet.load(variables={}).name == "callsheet.yaml"


def test_relative_paths_begin_at_the_sheet(folder, monkeypatch):
    (folder / "sub").mkdir()
    (folder / "sub" / "token").write_text("the-token")
    (folder / "sub" / "s.yaml").write_text(HEAD + '    auth: {bearer: "${file:token}"}\n')
    sheet = Sheet.load("sub/s.yaml", variables={})
    assert sheet.folder == folder / "sub"
    assert sheet.services["shop"].settings().auth.options["token"].reveal() == "the-token"


def test_the_process_environment_is_the_default(folder, monkeypatch):
    monkeypatch.setenv("SHOP_TOKEN_FOR_TEST", "from-environ")
    (folder / "callsheet.yaml").write_text(HEAD + '    description: "${SHOP_TOKEN_FOR_TEST}"\n')
    assert Sheet.load().services["shop"].description == "from-environ"


def test_a_missing_file(folder):
    assert (
        errors(Sheet.load, "no.yaml", variables={})
        == f"no.yaml: no such file in {folder}; `callsheet init` writes a first sheet"
    )


def test_a_directory(folder):
    assert "a directory; name the sheet itself" in errors(Sheet.load, folder)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(folder):
    (folder / "s.yaml").write_text(HEAD)
    (folder / "s.yaml").chmod(0)
    assert "cannot be read: Permission denied" in errors(Sheet.load, "s.yaml")


def test_a_path_that_is_none(folder):
    assert "cannot be read" in errors(Sheet.load, "a\0b")


def test_a_file_without_end(folder):
    assert "larger than 5 MiB" in errors(Sheet.load, "/dev/zero")


@pytest.mark.parametrize("content", [HEAD.encode("utf-16"), b"a: 1\nb: \xff\n", "ä".encode("latin-1")])
def test_another_encoding(folder, content):
    (folder / "s.yaml").write_bytes(content)
    assert "not UTF-8; save the file in that encoding" in errors(Sheet.load, "s.yaml")


def test_the_yaml_parser_is_loaded_when_a_sheet_is_read_and_not_before():
    program = (
        "import sys; import callsheet.sheet as s; before = 'yaml' in sys.modules\n"
        "s.Sheet(services={'a': {'base_url': 'http://a'}}); built = 'yaml' in sys.modules\n"
        f"s.Sheet.parse({HEAD!r}); print(before, built, 'yaml' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False", "True"]
