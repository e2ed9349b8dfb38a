"""What a client is made with by mistake, and what cannot be done with one."""

import copy
import logging
import pickle

import pytest

from callsheet import AsyncClient, Client, Sheet
from callsheet.errors import DecodeError, NotFound, SheetError, UsageError
from callsheet.testing import FakeTransport
from callsheet.tls import trust_store
from tests.servers import ScriptedServer, answer
from tests.servers.certificates import Certificates

BOTH = pytest.mark.parametrize("kind", [Client, AsyncClient])
URL = "http://127.0.0.1:9"


@BOTH
@pytest.mark.parametrize(
    ("keyword", "meant"),
    [
        ("enviroment", "env"), ("environment", "env"), ("Env", "env"), ("listener", "listeners"), ("transports", "transport"),
        ("baseurl", "base_url"), ("eagre", "eager"), ("clocks", "clock"),
    ],
)  # fmt: skip
def test_a_keyword_that_is_none(kind, keyword, meant):
    for given in ({"sheet": Sheet(services={"shop": {"base_url": URL}})}, {"base_url": URL}):
        with pytest.raises(SheetError, match=f"unknown keyword `{keyword}`; did you mean `{meant}`?"):
            kind(**given, **{keyword: "x"})


@BOTH
def test_a_setting_that_is_none_is_told_as_ever(kind):
    with pytest.raises(SheetError, match="unknown key `timout`"):
        kind(base_url=URL, timout=3)


@BOTH
@pytest.mark.parametrize("listeners", [print, "print", {print: 1}, [print, 3], None])
def test_listeners_are_a_list_of_functions(kind, listeners):
    with pytest.raises(UsageError, match=r"listeners: expected a list of functions, found .*; write \[f\]"):
        kind(base_url=URL, listeners=listeners)


@BOTH
@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_client_is_neither_copied_nor_pickled(kind, way):
    client = kind(base_url=URL, transport=FakeTransport())
    for each in (client, client.service("api")):
        with pytest.raises(TypeError, match=f"a {type(each).__name__} is neither copied nor pickled"):
            way(each)


def test_a_missing_file_of_authorities_is_told_once(monkeypatch, tmp_path, caplog):
    trust_store._warn_of_missing.cache_clear()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "nowhere.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "nowhere"))
    with ScriptedServer(answer(), tls=Certificates(tmp_path).good()) as server, caplog.at_level(logging.WARNING):
        for _ in range(2):
            with Client(base_url=server.url, retry="off") as client, pytest.raises(Exception, match="certificate"):
                client.get("/")
    told = [record.getMessage() for record in caplog.records if "SSL_CERT" in record.getMessage()]
    assert sorted(told) == [
        f"SSL_CERT_DIR is ignored: there is no folder {tmp_path / 'nowhere'}; set it right, or unset it",
        f"SSL_CERT_FILE is ignored: there is no file {tmp_path / 'nowhere.pem'}; set it right, or unset it",
    ]


def test_an_error_that_is_raised_after_the_call_names_it():
    operations = {"page": {"get": "/page"}}
    with (
        ScriptedServer(lambda _: answer(404, body=b"<p>")) as server,
        Client(Sheet(services={"shop": {"base_url": server.url, "operations": operations}})) as client,
    ):
        answered = client.call("page", raise_for_status=False)
        with pytest.raises(NotFound) as caught:
            client.call("page")
    for kind, ask in (
        (DecodeError, answered.json),
        (DecodeError, lambda: list(answered.iter_json_lines())),
        (DecodeError, pickle.loads(pickle.dumps(answered)).json),
        (DecodeError, caught.value.response.json),
        (NotFound, answered.raise_for_status),
    ):
        with pytest.raises(kind, match=r"^shop\.page: GET /page: 404") as raised:
            ask()
        assert (raised.value.service, raised.value.operation) == ("shop", "page")
        assert str(raised.value).count("shop.page") == 1
