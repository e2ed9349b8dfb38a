import gzip
import hashlib
import http.client
import zlib

import pytest


def test_echo_gives_the_raw_path_and_query(call):
    answer = call.get("/echo/a%2Fb/%0A/..%2f?x=1&x=%20&y&z=a+b").json
    assert answer["path"] == "/echo/a%2Fb/%0A/..%2f"
    assert answer["query_string"] == "x=1&x=%20&y&z=a+b"
    assert answer["query"] == [["x", "1"], ["x", " "], ["y", ""], ["z", "a b"]]


@pytest.mark.parametrize("path", ["/echo", "/echo/", "/echo/a/b/c"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"])
def test_echo_takes_any_method_and_path_below_it(call, method, path):
    answer = call(method, path)
    assert (answer.status, answer.json["method"], answer.json["path"]) == (200, method, path)


def test_echo_is_not_served_beside_its_path(call):
    assert call.get("/echoes").status == 404


def test_echo_gives_headers_as_sent_and_in_order(call):
    headers = call.get("/echo", headers={"X-B": "2 \u00e9", "X-A": "1"}).json["headers"]
    assert [pair for pair in headers if pair[0].startswith("x-")] == [["x-b", "2 \u00e9"], ["x-a", "1"]]


@pytest.mark.parametrize(
    ("body", "text", "encoded", "value"),
    [
        (b"", "", None, None),
        (b'{"a": [1]}', '{"a": [1]}', None, {"a": [1]}),
        (b"hello", "hello", None, None),
        (b"NaN", "NaN", None, None),
        (b"\xff\x00", None, "/wA=", None),
        (b"[" * 100_000, "[" * 100_000, None, None),
    ],
)
def test_echo_gives_the_body_in_the_forms_it_has(call, body, text, encoded, value):
    answer = call.post("/echo", body=body).json
    assert (answer["size"], answer["text"], answer["base64"], answer["json"]) == (len(body), text, encoded, value)


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_an_upload_is_measured_raw(call, method):
    body = gzip.compress(bytes(range(256)) * 4000)
    headers = {"Content-Type": "image/png", "Content-Encoding": "gzip"}
    assert call(method, "/uploads", body=body, headers=headers).json == {
        "size": len(body),
        "sha256": hashlib.sha256(body).hexdigest(),
        "content_type": "image/png",
        "content_encoding": "gzip",
        "content_length": len(body),
    }


def test_an_upload_in_chunks_has_no_length(call):
    answer = call.post("/uploads", body=iter([b"ab", b"cd"])).json
    assert (answer["size"], answer["content_length"]) == (4, None)


def test_an_upload_over_the_allowed_size_is_refused(call):
    assert call.post("/uploads?most=3", body=b"1234").status == 413
    assert call.post("/uploads?most=4", body=b"1234").status == 200


def test_bytes_are_the_same_every_time_and_nowhere_alike(call):
    whole = call.get("/bytes/200000")
    assert whole.headers["Content-Length"] == "200000"
    assert whole.body == b"".join(number.to_bytes(8, "big") for number in range(25_000))


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("0-0", 0, 1), ("3-20", 3, 21), ("990-", 990, 1000), ("-7", 993, 1000), ("5-99999", 5, 1000), ("-5000", 0, 1000)],
)
def test_a_range_is_that_part_of_the_whole(call, asked, start, end):
    part = call.get("/bytes/1000", headers={"Range": f"bytes={asked}"})
    assert part.status == 206
    assert part.headers["Content-Range"] == f"bytes {start}-{end - 1}/1000"
    assert part.body == call.get("/bytes/1000").body[start:end]


@pytest.mark.parametrize("asked", ["bytes=1000-", "bytes=-0", "bytes=5000-6000"])
def test_a_range_outside_is_not_satisfiable(call, asked):
    answer = call.get("/bytes/1000", headers={"Range": asked})
    assert (answer.status, answer.headers["Content-Range"]) == (416, "bytes */1000")


@pytest.mark.parametrize("asked", ["lines=1-2", "bytes=9-3", "bytes=-", "bytes=1-2,5-6", "bytes=a-b"])
def test_a_range_that_says_nothing_clear_is_ignored(call, asked):
    assert call.get("/bytes/10", headers={"Range": asked}).status == 200


def test_if_range_decides_between_part_and_whole(call):
    etag = call.get("/bytes/10").headers["ETag"]
    assert call.get("/bytes/10", headers={"Range": "bytes=1-2", "If-Range": etag}).status == 206
    assert call.get("/bytes/10", headers={"Range": "bytes=1-2", "If-Range": '"other"'}).status == 200


def test_ranges_can_be_switched_off(call):
    answer = call.get("/bytes/10?ranges=false", headers={"Range": "bytes=1-2"})
    assert (answer.status, answer.headers["Accept-Ranges"]) == (200, "none")


def test_a_download_that_breaks_off_can_be_resumed(call):
    with pytest.raises(http.client.IncompleteRead) as caught:
        call.get("/bytes/1000?cut=300")
    rest = call.get("/bytes/1000?cut=300", headers={"Range": f"bytes={len(caught.value.partial)}-"})
    assert caught.value.partial + rest.body == call.get("/bytes/1000").body


def test_head_of_a_large_download_is_only_its_size(call):
    answer = call("HEAD", f"/bytes/{4 << 30}")
    assert (answer.headers["Content-Length"], answer.body) == (str(4 << 30), b"")


def test_a_stream_is_json_lines(call):
    answer = call.get("/stream/3")
    assert answer.type == "application/x-ndjson"
    assert answer.body == b"".join(b'{"id": %d, "name": "item %d"}\n' % (n, n) for n in (1, 2, 3))


def test_events_end_and_go_on_after_the_last_one_seen(call):
    answer = call.get("/events?count=3")
    assert answer.type == "text/event-stream"
    assert answer.body.count(b"\n\n") == 3
    assert answer.body.startswith(b'id: 1\nevent: tick\ndata: {"number": 1,\ndata: "of": 3}\n\nid: 2\n')
    assert call.get("/events?count=3", headers={"Last-Event-ID": "2"}).body.startswith(b"id: 3\n")
    assert call.get("/events?count=3", headers={"Last-Event-ID": "3"}).body == b""


def test_coded_answers_decode_to_json(call):
    packed = call.get("/gzip")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert b'"coding": "gzip"' in gzip.decompress(packed.body)
    assert b'"coding": "deflate"' in zlib.decompress(call.get("/deflate").body)


def test_a_drip_comes_whole(call):
    answer = call.get("/drip?bytes=5&pause=0")
    assert (answer.headers["Content-Length"], answer.body) == ("5", b".....")


def test_a_slow_answer_says_how_late_it_is(call):
    assert call.post("/slow?seconds=0", body=b"x").json == {"seconds": 0.0}


@pytest.mark.parametrize(
    "path",
    ["/slow?seconds=61", "/slow?seconds=nan", "/drip?bytes=100&pause=1", "/stream/100?pause=1", "/events?pause=13"],
)
def test_nothing_lasts_longer_than_a_minute(call, path):
    assert call.get(path).status == 422
