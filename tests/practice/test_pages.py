import re

import pytest

from callsheet.practice.pages import ITEMS

EVERYTHING = list(range(1, ITEMS + 1))


def ids(rows):
    return [row["id"] for row in rows]


def follow(call, first, following):
    """All items from the first page on, by what each page says of the next one."""
    found, path = [], first
    while path:
        answer = call.get(path)
        rows = answer.json if isinstance(answer.json, list) else answer.json["results"]
        found += ids(rows)
        path = following(answer)
    return found


def next_link(answer):
    found = re.search(r'<([^>]*)>; rel="next"', answer.headers["Link"])
    return found and found[1]


def test_numbered_pages_hold_everything_once(call):
    first = call.get("/pages/numbered?page=1&size=30").json
    assert (first["total"], first["pages"]) == (250, 9)
    pages = [call.get(f"/pages/numbered?page={page}&size=30").json["results"] for page in range(1, 10)]
    assert ids(row for page in pages for row in page) == EVERYTHING


def test_a_page_after_the_last_is_empty(call):
    assert call.get("/pages/numbered?page=99").json["results"] == []


def test_offsets_hold_everything_once(call):
    pages = [call.get(f"/pages/offset?offset={offset}&limit=100").json["results"] for offset in (0, 100, 200)]
    assert ids(row for page in pages for row in page) == EVERYTHING


def test_cursors_lead_to_the_end(call):
    def following(answer):
        cursor = answer.json["next_cursor"]
        assert answer.json["has_more"] == (cursor is not None)
        return cursor and f"/pages/cursor?limit=40&cursor={cursor}"

    assert follow(call, "/pages/cursor?limit=40", following) == EVERYTHING


@pytest.mark.parametrize("cursor", ["nonsense", "%C3%A9", "YWZ0ZXI6eA"])
def test_a_made_up_cursor_is_refused(call, cursor):
    assert call.get(f"/pages/cursor?cursor={cursor}").status == 422


def test_links_lead_to_the_end_and_keep_the_query(call):
    assert follow(call, "/pages/link?size=100&total=250", next_link) == EVERYTHING
    link = call.get("/pages/link?size=100&total=250&page=2").headers["Link"]
    assert '</pages/link?size=100&total=250&page=1>; rel="prev"' in link
    assert '</pages/link?size=100&total=250&page=3>; rel="last"' in link


def test_next_paths_lead_to_the_end(call):
    assert follow(call, "/pages/next?size=60", lambda answer: answer.json["next"]) == EVERYTHING


def test_next_may_be_a_whole_url(call):
    assert call.get("/pages/next?absolute=true").json["next"] == f"{call.url}/pages/next?absolute=true&page=2"


@pytest.mark.parametrize("style", ["numbered", "offset", "cursor", "next"])
def test_an_empty_collection_is_one_empty_page(call, style):
    answer = call.get(f"/pages/{style}?total=0").json
    assert answer["results"] == []
    assert answer.get("next") is None
    assert answer.get("next_cursor") is None


def test_endless_pages_name_themselves(call):
    answer = call.get("/pages/endless").json
    assert call.get(answer["next"]).json == answer | {"next": answer["next"]}
