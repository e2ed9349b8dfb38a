from concurrent.futures import ThreadPoolExecutor

import pytest


def test_there_are_users_from_the_start(fresh):
    answer = fresh.get("/users")
    assert answer.status == 200
    assert answer.json["total"] == 5
    assert [user["id"] for user in answer.json["results"]] == [1, 2, 3, 4, 5]


def test_users_are_filtered_by_status(fresh):
    assert [user["name"] for user in fresh.get("/users?status=blocked").json["results"]] == ["Alan Turing"]
    assert fresh.get("/users?status=active").json["total"] == 4


def test_users_come_in_pages(fresh):
    page = fresh.get("/users?page=2&size=2").json
    assert [user["id"] for user in page["results"]] == [3, 4]
    assert (page["page"], page["size"], page["total"]) == (2, 2, 5)


def test_a_user_is_created_once_and_found_at_its_location(fresh):
    created = fresh.post("/users", json={"name": "Ada", "email": "ada@example.com"})
    assert created.status == 201
    assert created.headers["Location"] == "/users/6"
    assert created.json == {"id": 6, "name": "Ada", "email": "ada@example.com", "status": "active"}
    assert fresh.get("/users/6").json == created.json


def test_a_known_email_address_is_a_conflict_in_any_case(call):
    answer = call.post("/users", json={"name": "Grace", "email": "GRACE@example.com"})
    assert answer.status == 409
    assert answer.type == "application/problem+json"
    assert answer.json["existing"] == 1


def test_bad_input_names_each_field(call):
    answer = call.post("/users", json={"name": "", "email": "nowhere", "age": 3})
    assert answer.status == 422
    assert answer.type == "application/problem+json"
    assert {error["pointer"] for error in answer.json["errors"]} == {"#/name", "#/email", "#/age"}
    assert answer.json["title"] == "Unprocessable Content"


def test_a_body_that_is_no_json_is_a_bad_request(call):
    answer = call.post("/users", body=b'{"name": ', headers={"Content-Type": "application/json"})
    assert answer.status == 400


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "text/plain"}])
def test_a_body_not_declared_as_json_is_an_unsupported_type(call, headers):
    assert call.post("/users", body=b"{}", headers=headers).status == 415


def test_the_same_idempotency_key_creates_once(fresh):
    key = {"Idempotency-Key": "k-1"}
    new = {"name": "Ada", "email": "ada@example.com"}
    first, again = (fresh.post("/users", json=new, headers=key) for _ in range(2))
    assert (again.status, again.json, again.headers["Location"]) == (201, first.json, first.headers["Location"])
    assert (first.headers["Idempotency-Replayed"], again.headers["Idempotency-Replayed"]) == (None, "true")
    assert fresh.get("/users").json["total"] == 6


def test_equal_keys_at_the_same_time_create_once(fresh):
    def create(_):
        return fresh.post("/users", json={"name": "Ada", "email": "ada@example.com"}, headers={"Idempotency-Key": "k"})

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(create, range(24)))
    assert {(answer.status, answer.json["id"]) for answer in answers} == {(201, 6)}
    assert fresh.get("/users").json["total"] == 6


def test_an_idempotency_key_holds_quoted_or_not(fresh):
    new = {"name": "Ada", "email": "ada@example.com"}
    fresh.post("/users", json=new, headers={"Idempotency-Key": '"k-2"'})
    assert fresh.post("/users", json=new, headers={"Idempotency-Key": "k-2"}).status == 201


def test_an_idempotency_key_is_not_for_another_body(fresh):
    key = {"Idempotency-Key": "k-3"}
    fresh.post("/users", json={"name": "Ada", "email": "ada@example.com"}, headers=key)
    assert fresh.post("/users", json={"name": "Eve", "email": "eve@example.com"}, headers=key).status == 422


def test_a_refused_request_leaves_its_idempotency_key_free(fresh):
    key = {"Idempotency-Key": "k-4"}
    assert fresh.post("/users", json={"name": ""}, headers=key).status == 422
    assert fresh.post("/users", json={"name": "Ada", "email": "ada@example.com"}, headers=key).status == 201


def test_a_user_is_replaced_changed_and_deleted(fresh):
    assert fresh("PUT", "/users/2", json={"name": "E", "email": "e@example.com"}).json["name"] == "E"
    assert fresh("PATCH", "/users/2", json={"status": "blocked"}).json == {
        "id": 2,
        "name": "E",
        "email": "e@example.com",
        "status": "blocked",
    }
    deleted = fresh("DELETE", "/users/2")
    assert (deleted.status, deleted.body) == (204, b"")
    assert fresh.get("/users/2").status == 404


def test_a_user_may_keep_its_own_address_but_not_take_another(fresh):
    assert fresh("PATCH", "/users/2", json={"email": "edsger@example.com"}).status == 200
    assert fresh("PATCH", "/users/2", json={"email": "grace@example.com"}).status == 409


@pytest.mark.parametrize("unknown", ["999", "-1", "abc", "%C2%B2", "9" * 5000])
def test_an_unknown_user_is_a_problem(call, unknown):
    answer = call.get(f"/users/{unknown}")
    assert answer.status == 404
    assert answer.type == "application/problem+json"
    assert answer.json["title"] == "Not Found"


@pytest.mark.parametrize("query", ["page=0", "page=x", "size=101", "status=gone"])
def test_a_query_out_of_bounds_is_refused_by_name(call, query):
    answer = call.get(f"/users?{query}")
    assert answer.status == 422
    assert answer.json["errors"][0]["parameter"] == query.partition("=")[0]
