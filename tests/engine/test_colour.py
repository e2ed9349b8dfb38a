"""Blocking and asyncio: one engine, two shells, and nothing in between that knows the colour."""

import ast
import asyncio
import inspect
from pathlib import Path

import pytest

import callsheet
from callsheet import AsyncClient, AsyncService, Client, Service
from callsheet.engine.io import finish
from callsheet.engine.streamed import AsyncStreamedResponse, StreamedResponse

SOURCE = Path(callsheet.__file__).parent
COLOURLESS = ["sheet", "plan", "explain", "policies", "auth", "values", "arithmetic", "telemetry"]
COLOURED = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)


def files(*packages):
    return [path for package in packages for path in sorted((SOURCE / package).rglob("*.py"))]


@pytest.mark.parametrize("package", COLOURLESS)
def test_a_colourless_package_never_awaits(package):
    found = [
        f"{path.relative_to(SOURCE)}:{node.lineno}"
        for path in files(package)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, COLOURED)
    ]
    assert found == []


def test_every_colourless_package_is_there():
    assert [package for package in COLOURLESS if not files(package)] in ([], ["telemetry"])


def async_generators(path):
    """Names of the async functions that yield themselves, not in a function within."""
    for function in ast.walk(ast.parse(path.read_text())):
        if isinstance(function, ast.AsyncFunctionDef) and any(map(is_yield, own_nodes(function))):
            yield f"{path.name}:{function.name}"


def own_nodes(function):
    waiting = list(ast.iter_child_nodes(function))
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting.extend(ast.iter_child_nodes(node))


def is_yield(node):
    return isinstance(node, ast.Yield | ast.YieldFrom)


def test_shared_code_has_no_async_generators():
    """An async generator that is left early is closed at nobody knows what time; only a shell may have one."""
    found = [name for path in files("engine") for name in async_generators(path)]
    assert {name.partition(":")[0] for name in found} == {"streamed.py"}


def public(kind):
    return {
        name: inspect.signature(getattr(kind, name))
        for name in dir(kind)
        if not name.startswith("_") and callable(getattr(kind, name))
    }


def parameters(signature):
    return [(p.name, p.kind, p.default) for p in signature.parameters.values()]


@pytest.mark.parametrize(
    ("blocking", "asynchronous"),
    [(Client, AsyncClient), (Service, AsyncService), (StreamedResponse, AsyncStreamedResponse)],
)
def test_the_two_shells_have_the_same_methods(blocking, asynchronous):
    one, other = public(blocking), public(asynchronous)
    renamed = {"close": "aclose"}
    only_blocking = {"forget"}  # a thread's worker must be forgotten after fork; tasks end with their loop
    assert {renamed.get(name, name) for name in one} - only_blocking == set(other) - only_blocking
    for name, signature in one.items():
        if name not in only_blocking:
            assert parameters(signature) == parameters(other[renamed.get(name, name)]), name


@pytest.mark.parametrize(("blocking", "asynchronous"), [(Client, AsyncClient), (Service, AsyncService)])
def test_the_two_shells_are_made_alike(blocking, asynchronous):
    assert parameters(inspect.signature(blocking)) == parameters(inspect.signature(asynchronous))


def test_a_blocking_call_that_suspends_is_our_bug_and_says_its_name():
    async def sends_wrongly():
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match=r"a bug in Callsheet: .*sends_wrongly suspended in a blocking call"):
        finish(sends_wrongly())


def test_a_blocking_call_gives_result_and_error_as_they_are():
    async def seven():
        return 7

    async def fails():
        raise ZeroDivisionError

    assert finish(seven()) == 7
    with pytest.raises(ZeroDivisionError):
        finish(fails())
