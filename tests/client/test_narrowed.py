"""A client, or a command, for some of the services of a sheet: the variables of the others need not be set."""

import pytest

from callsheet import AsyncClient, Client, Sheet, SheetError, UsageError
from tests.servers import ScriptedServer, answer_json

TEXT = """
callsheet: 1
services:
  shop:
    base_url: "{url}"
    operations:
      ping: {{get: /ping}}
  billing:
    base_url: "https://${{BILLING_HOST}}"
    auth: {{bearer: "${{BILLING_ID}}.${{BILLING_KEY}}"}}
    operations:
      pay: {{post: /pay}}
"""
UNSET = ("BILLING_HOST", "BILLING_ID", "BILLING_KEY")


@pytest.fixture(autouse=True)
def url(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in UNSET:
        monkeypatch.delenv(name, raising=False)
    with ScriptedServer(answer_json({"ok": True})) as server:
        (tmp_path / "callsheet.yaml").write_text(TEXT.format(url=server.url))
        yield server.url


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_all_variables_are_needed_unless_their_service_is_left_out(kind):
    with pytest.raises(SheetError) as caught:
        kind("callsheet.yaml")
    assert all(f"the variable `{name}` is not set" in str(caught.value) for name in UNSET)
    client = kind("callsheet.yaml", services=["shop"])
    assert list(client.sheet.services) == ["shop"]
    assert client.sheet.left_out == ("billing",)
    with pytest.raises(UsageError, match="service `billing` was left out: it is not among `services`"):
        client.service("billing")
    with pytest.raises(UsageError, match="no service `biling`; did you mean `billing`"):
        client.service("biling")


def test_the_one_that_is_kept_is_the_clients_own():
    with Client(services=("shop",)) as client:
        assert client.call("ping").json() == {"ok": True}
        assert client.service("shop").get("/x").status_code == 200


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize(
    "read", [lambda: "callsheet.yaml", lambda: Sheet.load(variables=dict.fromkeys(UNSET, "x1234567"))]
)
def test_names_that_are_none_are_told(kind, read):
    with pytest.raises(UsageError, match="no service `shp`; did you mean `shop`"):
        kind(read(), services=["shp"])
    for wrong in ("shop", [], [1]):
        with pytest.raises(UsageError, match="services: expected a list of their names"):
            kind(read(), services=wrong)


def test_a_sheet_that_was_read_is_narrowed_and_stays_whole_itself():
    sheet = Sheet.load(variables=dict.fromkeys(UNSET, "x1234567"))
    with Client(sheet, services=["billing"]) as client:
        assert client.service("billing").operations == ["pay"]
        with pytest.raises(UsageError, match="was left out"):
            client.service("shop")
    assert list(sheet.services) == ["shop", "billing"]


def test_what_is_wrong_whatever_the_variables_hold_is_told_of_all(tmp_path):
    path = tmp_path / "callsheet.yaml"
    path.write_text(path.read_text().replace("auth:", "retires: 3\n    auth:"))
    with pytest.raises(SheetError, match="unknown key `retires`") as caught:
        Client(services=["shop"])
    assert "is not set" not in str(caught.value)
