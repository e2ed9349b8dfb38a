"""Files: whole or not at all, and continued where they broke off, over real sockets."""

from __future__ import annotations

import gzip
import json
import os
import stat

import pytest

from callsheet.errors import (
    ArgumentError,
    DecodeError,
    HTTPError,
    NoAnswer,
    NotFound,
    Redirected,
    ResponseTooLarge,
    ServerError,
    UsageError,
)
from callsheet.many.download import source_id
from callsheet.many.partial_file import PartialFile
from callsheet.practice import PracticeServer
from callsheet.practice.downloads import content
from tests.servers import ScriptedServer, answer, answer_with, truncated
from tests.servers.actions import close, head, raw, then

DATES = {"Date": "Sun, 06 Nov 1994 08:49:37 GMT"}
MODIFIED = "Sun, 06 Nov 1994 08:49:36 GMT"
ETAG = {"ETag": '"v1"'}
WHOLE = b"0123456789"


@pytest.fixture(scope="module")
def practice():
    with PracticeServer() as server:
        yield server.url


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def cut(headers=ETAG, sent=WHOLE[:4]):
    """The beginning of the file, and then the connection closes."""
    return then(raw(head(200, {"Content-Length": "10", **headers}) + sent), close())


def rest(start=4, end=10, total="10", headers=ETAG, body=None):
    fields = {"Content-Range": f"bytes {start}-{end - 1}/{total}", **headers}
    return answer(206, fields, WHOLE[start:end] if body is None else body)


class Broken:
    """A download that broke off after four bytes, with `resume`, and what the server does next."""

    def __init__(self, caller, folder, *actions):
        self.caller = caller
        self.folder = folder
        self.server = ScriptedServer([cut() if not actions else actions[0], *actions[1:]])

    def __enter__(self):
        self.server.__enter__()
        self.client = self.caller.client(self.server.url)
        with pytest.raises(NoAnswer):
            self.go_on()
        return self

    def __exit__(self, *error):
        self.server.__exit__(*error)

    def go_on(self, **options):
        return self.caller.do(self.client, "download", "/f", self.folder / "f", resume=True, **options)

    def asked(self):
        last = self.server.requests[-1]
        return last.header("Range"), last.header("If-Range")


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("size", [0, 1, 5_000_000])
def test_a_file_is_written_whole(caller, practice, tmp_path, size, resume):
    told = []
    done = caller.do(
        caller.client(practice),
        "download",
        f"/bytes/{size}",
        str(tmp_path / "f"),
        resume=resume,
        progress=lambda *facts: told.append(facts),
    )
    assert (done.path, done.size, done.resumed_at, done.response.status_code) == (tmp_path / "f", size, 0, 200)
    assert done.path.read_bytes() == content(0, size)
    assert names(tmp_path) == ["f"]
    assert told[0] == (0, size)
    assert told[-1] == (size, size)
    assert told == sorted(told)


def test_the_mode_of_the_file_follows_the_umask(caller, practice, tmp_path):
    before = os.umask(0o027)
    try:
        caller.do(caller.client(practice), "download", "/bytes/1", tmp_path / "f")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == 0o640


def test_what_was_there_stays_until_the_file_is_complete(caller, practice, tmp_path):
    (tmp_path / "f").write_bytes(b"old")
    client = caller.client(practice)
    with pytest.raises(NoAnswer) as caught:
        caller.do(client, "download", "/bytes/300000?cut=100000", tmp_path / "f")
    assert caught.value.service == "shop"
    assert ((tmp_path / "f").read_bytes(), names(tmp_path)) == (b"old", ["f"])
    caller.do(client, "download", "/bytes/3", tmp_path / "f")
    assert ((tmp_path / "f").read_bytes(), names(tmp_path)) == (content(0, 3), ["f"])


def test_a_part_is_kept_and_continued(caller, practice, tmp_path):
    client = caller.client(practice)
    path, target = "/bytes/3000000?cut=1000000", tmp_path / "f"
    with pytest.raises(NoAnswer):
        caller.do(client, "download", path, target, resume=True)
    assert names(tmp_path) == ["f.part", "f.part.json"]
    assert stat.S_IMODE((tmp_path / "f.part.json").stat().st_mode) == 0o600
    begun = (tmp_path / "f.part").stat().st_size
    assert 0 < begun <= 1_000_000
    told = []
    done = caller.do(client, "download", path, target, resume=True, progress=lambda *facts: told.append(facts))
    assert (done.size, done.resumed_at, done.response.status_code) == (3_000_000, begun, 206)
    assert told[0] == (begun, 3_000_000)
    assert target.read_bytes() == content(0, 3_000_000)
    assert names(tmp_path) == ["f"]


def test_the_rest_is_asked_for_under_the_validator(caller, tmp_path):
    with Broken(caller, tmp_path, cut(), rest()) as broken:
        assert broken.server.requests[-1].header("Accept-Encoding") == "identity"
        done = broken.go_on()
        assert broken.asked() == ("bytes=4-", '"v1"')
    assert (done.path.read_bytes(), done.resumed_at) == (WHOLE, 4)


def test_a_date_is_a_validator_if_the_file_was_older_than_a_second(caller, tmp_path):
    dates = {**DATES, "Last-Modified": MODIFIED}
    with Broken(caller, tmp_path, cut(dates), rest(headers=dates)) as broken:
        assert broken.go_on().path.read_bytes() == WHOLE
        assert broken.asked() == ("bytes=4-", MODIFIED)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"ETag": 'W/"v1"'},
        {"Last-Modified": MODIFIED},
        {"Date": MODIFIED, "Last-Modified": MODIFIED},
        {"Date": "soon", "Last-Modified": "long ago"},
        {**ETAG, "Content-Encoding": "br, br, br, br, br, br"},
    ],
)
def test_without_a_validator_nothing_is_kept(caller, tmp_path, headers):
    with ScriptedServer(cut(headers)) as server, pytest.raises((NoAnswer, DecodeError)):
        caller.do(caller.client(server.url), "download", "/f", tmp_path / "f", resume=True)
    assert names(tmp_path) == []


def test_a_file_that_changed_begins_anew(caller, tmp_path):
    with Broken(caller, tmp_path, cut(), answer(200, {"ETag": '"v2"'}, b"another")) as broken:
        done = broken.go_on()
    assert (done.path.read_bytes(), done.resumed_at, names(tmp_path)) == (b"another", 0, ["f"])


def test_a_file_that_was_complete_is_put_in_its_place(caller, tmp_path):
    complete = answer(416, {"Content-Range": "bytes */4"})
    with Broken(caller, tmp_path, cut(), complete) as broken:
        done = broken.go_on()
    assert (done.path.read_bytes(), done.size, done.resumed_at, names(tmp_path)) == (WHOLE[:4], 4, 4, ["f"])


def test_a_rest_that_comes_in_several_ranges(caller, tmp_path):
    with Broken(caller, tmp_path, cut(), rest(4, 6), rest(6, 9, "*"), rest(9, 10)) as broken:
        done = broken.go_on()
        assert broken.asked() == ("bytes=9-", '"v1"')
    assert (done.path.read_bytes(), done.resumed_at) == (WHOLE, 4)


def test_a_second_break_keeps_what_came(caller, tmp_path):
    further = {"Content-Range": "bytes 4-9/10", "Content-Length": "6", **ETAG}
    again = then(raw(head(206, further) + WHOLE[4:7]), close())
    with Broken(caller, tmp_path, cut(), again, rest(7)) as broken:
        with pytest.raises(NoAnswer):
            broken.go_on()
        assert (tmp_path / "f.part").read_bytes() == WHOLE[:7]
        assert broken.go_on().path.read_bytes() == WHOLE


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        (rest(3), DecodeError),
        (rest(5), DecodeError),
        (rest(4, 11), DecodeError),
        (rest(total="11"), DecodeError),
        (rest(headers={"ETag": '"v2"'}), DecodeError),
        (rest(headers={**ETAG, "Content-Encoding": "gzip"}), DecodeError),
        (answer(206, ETAG, WHOLE[4:]), DecodeError),
        (answer(206, {**ETAG, "Content-Type": "multipart/byteranges; boundary=x"}, b"--x--"), DecodeError),
        (rest(body=b"456"), DecodeError),
        (rest(body=b"456789and more"), DecodeError),
        (answer(416, {"Content-Range": "bytes */3"}), HTTPError),
        (answer(416), HTTPError),
    ],
)
def test_what_contradicts_the_part_is_raised_and_the_next_begins_anew(caller, tmp_path, action, kind):
    with Broken(caller, tmp_path, cut(), action, answer(200, ETAG, WHOLE)) as broken:
        with pytest.raises(kind) as caught:
            broken.go_on()
        assert (caught.value.service, caught.value.operation) == ("shop", "get")
        assert str(caught.value).count("shop.get") == 1
        assert names(tmp_path) == []
        assert broken.go_on().path.read_bytes() == WHOLE
        assert broken.asked() == (None, None)


def test_a_service_that_fails_costs_no_part(caller, tmp_path):
    with Broken(caller, tmp_path, cut(), answer(503), rest()) as broken:
        with pytest.raises(ServerError):
            broken.go_on()
        assert broken.go_on().path.read_bytes() == WHOLE
        assert broken.asked() == ("bytes=4-", '"v1"')


def test_a_part_of_another_url_is_not_continued(caller, tmp_path):
    with Broken(caller, tmp_path, cut(), answer(200, ETAG, WHOLE)) as broken:
        done = broken.go_on(params={"page": 2})
        assert broken.asked() == (None, None)
    assert done.path.read_bytes() == WHOLE


@pytest.mark.parametrize(
    "note", ["", "[]", "{", '{"source": 1}', json.dumps({"source": "ID", "validator": "a\nb", "total": 10}), None]
)
def test_a_part_without_a_note_of_ours_begins_anew(caller, tmp_path, note):
    with Broken(caller, tmp_path, cut(), answer(200, ETAG, WHOLE)) as broken:
        if note is None:
            (tmp_path / "f.part.json").unlink()
        else:
            (tmp_path / "f.part.json").write_text(note.replace("ID", source_id(f"{broken.server.url}/f")))
        assert broken.go_on().path.read_bytes() == WHOLE
        assert broken.asked() == (None, None)
    assert names(tmp_path) == ["f"]


def test_without_resume_the_part_is_not_continued_and_goes(caller, tmp_path):
    with Broken(caller, tmp_path, cut(), answer(200, ETAG, WHOLE)) as broken:
        caller.do(broken.client, "download", "/f", tmp_path / "f")
        assert broken.asked() == (None, None)
    assert names(tmp_path) == ["f"]


def test_codings_are_undone(caller, tmp_path):
    packed = answer(200, {"Content-Encoding": "gzip", **ETAG}, gzip.compress(WHOLE))
    told = []
    with ScriptedServer(packed) as server:
        client = caller.client(server.url)
        for resume in (False, True):
            options = {"resume": resume, "progress": lambda *facts: told.append(facts)}
            assert caller.do(client, "download", "/", tmp_path / "f", **options).path.read_bytes() == WHOLE
        assert "gzip" in server.requests[0].header("Accept-Encoding")
    assert told == [(0, None), (10, None)] * 2


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        (answer(404, body=b"<html>"), NotFound),
        (answer(302, {"Location": "/x"}, b"moved"), Redirected),
        (answer(204), HTTPError),
        (answer(206, {"Content-Range": "bytes 0-9/10"}, WHOLE), HTTPError),
        (answer(416, {"Content-Range": "bytes */0"}), HTTPError),
    ],
)
def test_what_is_not_the_file_raises_and_leaves_nothing(caller, tmp_path, action, kind):
    with ScriptedServer(action) as server:
        with pytest.raises(kind) as caught:
            caller.do(caller.client(server.url), "download", "/", tmp_path / "f", resume=True)
        assert caught.value.service == "shop"
    assert names(tmp_path) == []


@pytest.mark.parametrize("headers", [{"Content-Length": "10"}, {"Transfer-Encoding": "chunked"}])
def test_a_file_above_max_bytes_is_refused(caller, tmp_path, headers):
    body = WHOLE if "Content-Length" in headers else b"a\r\n0123456789\r\n0\r\n\r\n"
    with ScriptedServer(raw(head(200, {**headers, **ETAG}) + body)) as server:
        client = caller.client(server.url)
        with pytest.raises(ResponseTooLarge, match="larger than 9 bytes"):
            caller.do(client, "download", "/", tmp_path / "f", resume=True, max_bytes=9)
        assert names(tmp_path) == []
        assert caller.do(client, "download", "/", tmp_path / "f", max_bytes=10).size == 10


def test_the_cap_on_answers_does_not_hold_for_files(caller, practice, tmp_path):
    client = caller.client(practice, caps={"response": 1000})
    assert caller.do(client, "download", "/bytes/5000", tmp_path / "f").size == 5000


@pytest.mark.parametrize(
    ("to", "message"),
    [
        ("none/f", "there is no folder"),
        (".", "is a folder"),
        ("", "is a folder"),
        (7, "found int"),
        ("a\0b", "holds a NUL"),
        ("a\0b/c", "holds a NUL"),
    ],
)
def test_a_path_that_cannot_be_is_refused_before_anything_is_sent(caller, tmp_path, monkeypatch, to, message):
    monkeypatch.chdir(tmp_path)
    with ScriptedServer(answer()) as server:
        client = caller.client(server.url)
        with pytest.raises(ArgumentError, match=message):
            caller.do(client, "download", "/", to)
        assert server.connections == 0


@pytest.mark.parametrize(
    "options", [{"headers": {"range": "bytes=0-"}}, {"raise_for_status": False}, {"nonsense": 1}], ids=str
)
def test_options_that_a_download_cannot_keep_are_refused(caller, tmp_path, options):
    with ScriptedServer(answer()) as server:
        client = caller.client(server.url)
        with pytest.raises(ArgumentError):
            caller.do(client, "download", "/", tmp_path / "f", **options)
        assert server.connections == 0
    assert names(tmp_path) == []


def test_two_downloads_do_not_write_one_file(caller, practice, tmp_path):
    client, other = caller.client(practice), caller.client(practice)
    found = []

    def meanwhile(*_):
        if not found:
            found.append(None)
            with pytest.raises(UsageError, match="is being written by another download") as caught:
                PartialFile(tmp_path / "f")
            found.append(caught.value)

    assert caller.do(client, "download", "/bytes/200000", tmp_path / "f", progress=meanwhile).size == 200_000
    assert len(found) == 2
    assert caller.do(other, "download", "/bytes/200000", tmp_path / "f").size == 200_000


def test_a_link_in_the_parts_place_is_not_followed(caller, practice, tmp_path):
    (tmp_path / "precious").write_bytes(b"mine")
    (tmp_path / "f.part").symlink_to(tmp_path / "precious")
    with pytest.raises(OSError):  # noqa: PT011 the system's own
        caller.do(caller.client(practice), "download", "/bytes/3", tmp_path / "f")
    assert (tmp_path / "precious").read_bytes() == b"mine"


class Stop(Exception):
    pass


@pytest.mark.parametrize("resume", [False, True])
def test_who_raises_in_progress_stops_the_download(caller, practice, tmp_path, resume):
    def stop(so_far, total):
        if so_far:
            raise Stop

    client = caller.client(practice)
    with pytest.raises(Stop):
        caller.do(client, "download", "/bytes/9000000", tmp_path / "f", resume=resume, progress=stop)
    assert names(tmp_path) == (["f.part", "f.part.json"] if resume else [])
    done = caller.do(client, "download", "/bytes/9000000", tmp_path / "f", resume=resume)
    assert (done.path.read_bytes() == content(0, 9_000_000), done.resumed_at > 0) == (True, resume)


def test_the_url_is_not_in_the_note(caller, tmp_path):
    with ScriptedServer(cut()) as server:
        with pytest.raises(NoAnswer):
            caller.do(
                caller.client(server.url), "download", "/f", tmp_path / "f", resume=True, params={"key": "canary-1"}
            )
        assert "canary-1" in server.requests[-1].target
    assert "canary" not in (tmp_path / "f.part.json").read_text()


def test_truncated_without_resume_leaves_nothing(caller, tmp_path):
    with ScriptedServer(answer_with(lambda _: truncated(100, b"abc"))) as server, pytest.raises(NoAnswer):
        caller.do(caller.client(server.url), "download", "/", tmp_path / "f")
    assert names(tmp_path) == []


@pytest.mark.needs("nginx")
@pytest.mark.parametrize("etag", ["on", "off"])
def test_nginx_lets_a_file_go_on(caller, tmp_path, etag):
    from tests.servers.nginx import NginxServer

    (tmp_path / "nginx").mkdir()
    with NginxServer(tmp_path / "nginx", extra=f"etag {etag};") as server:
        whole = content(0, 2_000_000)
        (server.static / "f.bin").write_bytes(whole)
        os.utime(server.static / "f.bin", (1_600_000_000, 1_600_000_000))
        client = caller.client(server.url)
        folder = tmp_path / "here"
        folder.mkdir()

        def stop(so_far, total):
            if so_far > 500_000:
                raise Stop

        with pytest.raises(Stop):
            caller.do(client, "download", "/static/f.bin", folder / "f", resume=True, progress=stop)
        assert json.loads((folder / "f.part.json").read_text())["total"] == 2_000_000
        done = caller.do(client, "download", "/static/f.bin", folder / "f", resume=True)
        assert (done.response.status_code, done.resumed_at > 500_000) == (206, True)
        assert done.path.read_bytes() == whole

        with pytest.raises(Stop):
            caller.do(client, "download", "/static/f.bin", folder / "f", resume=True, progress=stop)
        (server.static / "f.bin").write_bytes(b"another file")
        done = caller.do(client, "download", "/static/f.bin", folder / "f", resume=True)
        assert (done.response.status_code, done.path.read_bytes()) == (200, b"another file")

        # Everything was there but its name.
        note = {
            "source": source_id(f"{server.url}/static/f.bin"),
            "validator": done.response.headers.get("etag"),
            "total": 12,
        }
        if note["validator"]:
            (folder / "f").rename(folder / "f.part")
            (folder / "f.part.json").write_text(json.dumps(note))
            done = caller.do(client, "download", "/static/f.bin", folder / "f", resume=True)
            assert (done.response.status_code, done.path.read_bytes()) == (416, b"another file")
