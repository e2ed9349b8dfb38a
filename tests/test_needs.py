"""Tests that need a system program say at the end that they did not run."""

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

SUITE = """
    import pytest

    @pytest.mark.needs("no-such-program")
    @pytest.mark.parametrize("number", range(3))
    def test_of_a_missing_program(number):
        raise AssertionError("ran without its program")

    @pytest.mark.needs("sh")
    def test_of_a_present_program():
        pass

    @pytest.mark.needs("sh")
    def test_that_skips_itself():
        pytest.skip("sh is too old")

    def test_that_needs_nothing():
        pytest.skip("for its own reason")
"""


@pytest.fixture
def suite(pytester, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent.parent))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.delenv("CALLSHEET_NEED_ALL", raising=False)
    pytester.makeconftest('pytest_plugins = ["tests.needs"]')
    pytester.makepyfile(SUITE)
    return pytester


@pytest.mark.parametrize("workers", [(), ("-p", "xdist", "-n", "1")], ids=["alone", "xdist"])
def test_tests_without_their_program_are_counted_at_the_end(suite, workers):
    run = suite.runpytest_subprocess("-q", *workers)
    run.assert_outcomes(passed=1, skipped=5)
    assert run.outlines[-3:-1] == ["not run: 3 tests need no-such-program", "not run: 1 test needs sh"]


def test_where_nothing_may_be_left_out_a_skip_is_a_failure(suite, monkeypatch):
    monkeypatch.setenv("CALLSHEET_NEED_ALL", "1")
    run = suite.runpytest_subprocess("-q", "-p", "xdist", "-n", "1")
    run.assert_outcomes(passed=1, skipped=1, failed=1, errors=3)
    assert run.ret == pytest.ExitCode.TESTS_FAILED
    run.stdout.fnmatch_lines("*was skipped, and CALLSHEET_NEED_ALL*needs no-such-program*")
