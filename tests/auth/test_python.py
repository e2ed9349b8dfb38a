"""`auth: {python: ...}`: a function of the request, or a generator that logs in first."""

import gzip

import pytest

from callsheet import Request, Response, Secret, Sheet
from callsheet.auth import request as request_to
from callsheet.errors import APIError, AuthError, DeadlinePassed, NoAnswer, ServerError, SheetError, Unauthorized
from callsheet.testing import FrozenClock
from tests.servers import ScriptedServer, answer, answer_with

KEY = "a-key-of-the-tests"


def stamped(request: Request, *, key: Secret, tenant: str = "none") -> Request:
    return request.plus("X-Tenant", tenant).plus("X-Key", key)


def login(request: Request, *, user: str, password: Secret):
    answer = yield request_to("POST", "https://id.test/login", json={"user": user, "password": password.reveal()})
    return request.plus("X-Session", answer.json()["session"])


class Session:
    """Logs in once, and again when the service says so."""

    def __init__(self):
        self.session = None

    def __call__(self, request: Request):
        if self.session is None:
            yield from self.new()
        answer = yield request.plus("X-Session", self.session)
        if answer.status_code == 401:
            yield from self.new()
            yield request.plus("X-Session", self.session)

    def new(self):
        answer = yield request_to("POST", "https://id.test/login", data={"user": "ada"})
        self.session = answer.json()["session"]


@pytest.fixture
def shop(world):
    def opened(auth, variables=None, **settings):
        clock = FrozenClock()
        fake = world.fake(clock)
        fake.on("POST", "/login").respond(json={"session": "session-1"}).respond(json={"session": "session-2"})
        sheet = Sheet(
            services={"shop": {"base_url": "https://shop.test", "auth": auth, **settings}},
            variables={"KEY": KEY, **(variables or {})},
        )
        made = world(sheet, transport=fake, clock=clock)
        made.fake = fake
        made.x = fake.on("GET", "/x")
        made.sent = lambda name: [call.headers.get(name) for call in fake.calls if call.url.endswith("/x")]
        return made

    return opened


def test_a_function_gets_the_request_and_its_options(shop):
    client = shop({"python": "tests.auth.test_python:stamped", "key": "${KEY}", "tenant": "acme"})
    client.x.respond()
    answer = client.do("get", "/x")
    assert (client.sent("X-Key"), client.sent("X-Tenant")) == ([KEY], ["acme"])
    assert KEY not in repr(answer.request.headers)
    assert "acme" not in repr(answer.request.headers), "what a function adds may be a credential"


def test_it_is_asked_anew_for_each_attempt(shop):
    numbers = iter(range(9))
    client = shop({"python": lambda request: request.plus("X-Nonce", str(next(numbers)))})
    client.x.respond(503).respond()
    client.do("get", "/x")
    assert client.sent("X-Nonce") == ["0", "1"]


def test_a_generator_logs_in_first(shop):
    client = shop({"python": login, "user": "ada", "password": "${KEY}"})
    client.x.respond()
    client.do("get", "/x")
    assert client.sent("X-Session") == ["session-1"]
    assert client.fake.calls[0].json() == {"user": "ada", "password": KEY}


def test_a_generator_that_yields_the_request_is_given_its_answer(shop):
    client = shop({"python": Session()})
    client.x.respond().respond(401).respond()
    client.do("get", "/x")
    answer = client.do("get", "/x")
    assert (answer.status_code, answer.attempts) == (200, 2)
    assert client.sent("X-Session") == ["session-1", "session-1", "session-2"]


def test_a_failed_attempt_is_repeated_as_it_was(shop):
    client = shop({"python": Session()})
    client.x.drop().respond()
    client.do("get", "/x")
    assert client.sent("X-Session") == ["session-1", "session-1"]


def yields_for_ever(request):
    while True:
        yield request


def returns_for_ever(request):
    answer = yield request
    if answer.status_code == 401:
        return request.plus("X-Session", "2")


def test_what_it_returns_after_its_answer_is_sent_once_more(shop):
    client = shop({"python": returns_for_ever})
    client.x.respond(401)
    with pytest.raises(Unauthorized) as caught:
        client.do("get", "/x")
    assert caught.value.attempts == 2
    assert client.sent("X-Session") == [None, "2"]


def test_a_generator_is_not_asked_for_ever(shop):
    stubborn = yields_for_ever

    client = shop({"python": stubborn})
    client.x.respond(401)
    with pytest.raises(Unauthorized) as caught:
        client.do("get", "/x")
    assert caught.value.attempts == 4


def test_the_way_of_an_exchange_fails_inside_the_generator(shop):
    def careful(request):
        try:
            yield request_to("GET", "https://id.test/gone")
        except NoAnswer:
            return request.plus("X-Session", "spare")

    client = shop({"python": careful})
    client.fake.on("GET", "/gone").drop()
    client.x.respond()
    client.do("get", "/x")
    assert client.sent("X-Session") == ["spare"]


def forgets(request):
    answer = yield request_to("POST", "https://id.test/login")
    request.plus("X-Session", answer.json()["session"])


def elsewhere(request):
    return request_to("GET", "https://evil.test/x")


def raises(request):
    raise ValueError(f"the key is {KEY}")


def raises_later(request):
    yield request_to("POST", "https://id.test/login")
    raise ValueError(f"the key is {KEY}")


def no_request(request):
    return "Bearer x"


def yields_text(request):
    yield "Bearer x"


def broken_field(request):
    return request.plus("X-Key", "a\r\nb")


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (elsewhere, "a request to another origin"),
        (forgets, "it ended without a request: return the one to send"),
        (raises, "ValueError: it raised"),
        (raises_later, "ValueError: it raised"),
        (no_request, "expected a Request, found str"),
        (yields_text, "expected a Request to be yielded, found str"),
        (broken_field, "header `X-Key`: its value holds a CR"),
    ],
)
def test_what_goes_wrong_in_it_is_an_auth_error_and_nothing_is_sent(shop, function, told, caplog):
    client = shop({"python": function})
    with pytest.raises(AuthError, match=told) as caught:
        client.do("get", "/x")
    assert function.__name__ in str(caught.value)
    assert KEY not in str(caught.value) + caplog.text
    assert client.sent("X-Key") == []


def test_an_answer_after_which_it_fails_is_replaced_by_the_error(shop):
    def fails(request):
        yield request
        raise KeyError("session")

    client = shop({"python": fails})
    client.x.respond()
    with pytest.raises(AuthError, match="KeyError: it raised"):
        client.do("get", "/x")


def test_a_retry_goes_on_as_without_it(shop):
    def plain(request):
        answer = yield request
        assert isinstance(answer, Response)

    client = shop({"python": plain}, retry={"attempts": 2})
    client.x.respond(503)
    with pytest.raises(ServerError) as caught:
        client.do("get", "/x")
    assert caught.value.attempts == 2


async def coroutine(request):
    return request


def wants_more(request, *, key):
    return request


@pytest.mark.parametrize(
    ("auth", "told"),
    [
        ({"python": "tests.auth.test_python:nothing_there"}, "nothing_there"),
        ({"python": "no.such.module:f"}, "no.such"),
        ({"python": "not a name"}, "expected a function as `package.module:function`"),
        ({"python": coroutine}, "is a coroutine function"),
        ({"python": Session}, "is a class; name an instance of it"),
        ({"python": wants_more}, "cannot be called with a request: missing a required"),
        ({"python": stamped, "kee": 1}, "cannot be called with a request and these options"),
    ],
)
def test_a_function_that_cannot_be_used_is_an_error_of_the_sheet(shop, auth, told):
    with pytest.raises(SheetError, match=told):
        shop(auth).do("get", "/x")


def test_a_login_that_never_ends_ends_with_the_call(shop):
    def again_and_again(request):
        while True:
            try:
                yield request_to("GET", "https://id.test/down")
            except APIError:
                continue

    client = shop({"python": again_and_again})
    client.fake.on("GET", "/down").respond(delay=3.0)
    with pytest.raises(DeadlinePassed):
        client.do("get", "/x", timeout=2)


def test_a_login_that_takes_longer_than_the_call_may_is_a_timeout(shop):
    def slow(request):
        yield request_to("POST", "https://id.test/slow")

    client = shop({"python": slow})
    client.fake.on("POST", "/slow").respond(delay=9.0)
    with pytest.raises(DeadlinePassed, match="POST https://id"):
        client.do("get", "/x", timeout=2)


@pytest.mark.parametrize("stays", [False, True])
def test_what_a_generator_does_at_its_end_spoils_no_answer(shop, caplog, stays):
    def untidy(request):
        try:
            yield request
        finally:
            if stays:
                yield request
            raise ValueError(f"the key is {KEY}")

    def stopped(request):
        yield request
        yield from untidy(request)

    client = shop({"python": stopped}, retry="off")
    client.x.respond().drop()
    with pytest.raises(NoAnswer):
        client.do("get", "/x")
    assert "closing it raised" in caplog.text
    assert KEY not in caplog.text


def test_it_reads_an_answer_whose_codings_are_undone(world):
    def compressed(request):
        fields = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        return answer(200, fields, gzip.compress(b'{"a": 1}'))

    seen = []

    def reads(request):
        told = yield request
        seen.append(told.json())

    with ScriptedServer(answer_with(compressed)) as server:
        client = world(Sheet(services={"shop": {"base_url": server.url, "auth": {"python": reads}}}))
        assert client.do("get", "/x").json() == {"a": 1}
    assert seen == [{"a": 1}]


def test_a_body_is_sent_once_though_its_url_has_another_query(shop):
    def in_the_query(request):
        yield Request(request.method, request.url + "?sig=1", request.headers, request.body)
        return request

    client = shop({"python": in_the_query})
    client.fake.on("POST", "/x").respond()
    assert client.do("post", "/x", json={"a": 1}).ok
    assert [call.url for call in client.fake.calls if call.method == "POST"] == ["https://shop.test/x?sig=1"]


def test_an_origin_that_only_claims_to_be_the_services_is_refused(shop):
    def claims(request):
        return Request("GET", "https://evil.test/x", request.headers, origin=request.origin)

    client = shop({"python": claims})
    with pytest.raises(AuthError, match="another origin"):
        client.do("get", "/x")
    assert client.fake.calls == []
