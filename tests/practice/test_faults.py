import hashlib
import http.client

import pytest


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_flaky_fails_as_often_as_said_then_works(call, method):
    path = f"/flaky/statuses-{method}?failures=2&status=502"
    answers = [call(method, path, body=b"abc") for _ in range(4)]
    assert [answer.status for answer in answers] == [502, 502, 200, 200]
    assert answers[0].type == "application/problem+json"
    assert answers[2].json["attempt"] == 3


def test_flaky_keys_do_not_touch_each_other(call):
    assert call.get("/flaky/mine?failures=1").status == 503
    assert call.get("/flaky/yours?failures=1").status == 503
    assert call.get("/flaky/mine?failures=1").status == 200


@pytest.mark.parametrize(("how", "error"), [("drop", http.client.RemoteDisconnected), ("reset", ConnectionResetError)])
def test_flaky_may_break_the_connection_instead(call, how, error):
    path = f"/flaky/broken-{how}?failures=1&how={how}"
    with pytest.raises(error):
        call.post(path, body=b"x")
    assert call.post(path, body=b"x").json["attempt"] == 2


def test_every_attempt_at_a_flaky_key_is_recorded(call):
    call.post("/flaky/recorded?failures=1", body=b"first", headers={"Idempotency-Key": "k"})
    call("PUT", "/flaky/recorded?failures=1", body=b"")
    attempts = call.get("/flaky/recorded/attempts").json["attempts"]
    assert [(row["method"], row["size"], row["idempotency_key"]) for row in attempts] == [
        ("POST", 5, "k"),
        ("PUT", 0, None),
    ]
    assert attempts[0]["sha256"] == hashlib.sha256(b"first").hexdigest()


def test_flaky_says_when_to_come_back(call):
    assert call.get("/flaky/later?status=429&retry_after=7").headers["Retry-After"] == "7"


def test_retry_after_is_sent_as_given_however_strange(call):
    headers = call.get("/status/503?retry_after=1e20&retry_after=-1&retry_after_ms=250").headers
    assert (headers.get_all("Retry-After"), headers["Retry-After-Ms"]) == (["1e20", "-1"], "250")


@pytest.mark.parametrize("value", ["%0D%0AX:1", "%C3%A9", "%00"])
def test_no_query_breaks_out_of_a_header(call, value):
    assert call.get(f"/status/200?retry_after={value}").status == 422
    assert call.get(f"/cached/strange?control={value}").status == 422


@pytest.mark.parametrize("code", [200, 201, 299, 300, 400, 404, 418, 499, 500, 503, 599])
def test_any_status_can_be_had(call, code):
    answer = call.get(f"/status/{code}")
    assert answer.status == code
    assert answer.type == ("application/problem+json" if code >= 400 else "application/json")
    assert answer.json["status"] == code


@pytest.mark.parametrize("code", [204, 205, 304])
def test_a_status_without_content_has_none(call, code):
    answer = call.get(f"/status/{code}")
    assert (answer.status, answer.body) == (code, b"")


@pytest.mark.parametrize("code", ["199", "600", "x", "-200"])
def test_what_is_no_final_status_is_refused(call, code):
    assert call.get(f"/status/{code}").status == 422


def test_a_dropped_connection_gives_no_answer(call):
    with pytest.raises(http.client.RemoteDisconnected):
        call.post("/drop", body=b"x" * 100_000)


def test_a_connection_is_reset_on_request(call):
    with pytest.raises(ConnectionResetError):
        call.get("/drop?how=reset")


def test_a_truncated_answer_breaks_off_in_the_middle(call):
    with pytest.raises(http.client.IncompleteRead) as caught:
        call.get("/truncated/100")
    assert (len(caught.value.partial), caught.value.expected) == (50, 50)


def test_a_lost_order_was_placed(call):
    with pytest.raises(http.client.RemoteDisconnected):
        call.post("/orders?key=lost&lost=1", json={"item": "tea"})
    assert call.get("/orders/count?key=lost").json == {"key": "lost", "arrived": 1, "orders": 1}
    assert call.post("/orders?key=lost&lost=1", json={"item": "tea"}).json["id"] == 2
    assert [order["item"] for order in call.get("/orders?key=lost").json["results"]] == ["tea", "tea"]


def test_a_lost_order_with_an_idempotency_key_is_placed_once(call):
    key = {"Idempotency-Key": "order-1"}
    with pytest.raises(http.client.RemoteDisconnected):
        call.post("/orders?key=safe&lost=1", json={"item": "tea"}, headers=key)
    assert call.post("/orders?key=safe&lost=1", json={"item": "tea"}, headers=key).json["id"] == 1
    assert call.get("/orders/count?key=safe").json == {"key": "safe", "arrived": 2, "orders": 1}


def test_a_refused_order_arrived_but_is_no_order(call):
    assert call.post("/orders?key=refused", json={"item": "tea", "quantity": 0}).status == 422
    assert call.get("/orders/count?key=refused").json == {"key": "refused", "arrived": 1, "orders": 0}
