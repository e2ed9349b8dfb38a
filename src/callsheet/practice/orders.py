"""Orders, which must not be placed twice: the server counts requests, also those whose answer it lost."""

from collections import Counter, defaultdict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from callsheet.practice.connection import HangUp
from callsheet.practice.idempotency import Repetitions
from callsheet.practice.models import NewOrder, Order
from callsheet.practice.request_values import integer, json_body


class Orders:
    """The orders of one practice API, by a `key` that keeps test runs apart."""

    def __init__(self) -> None:
        self.arrived: Counter[str] = Counter()
        self.placed: defaultdict[str, list[Order]] = defaultdict(list)
        self.repetitions = Repetitions()

    def routes(self) -> list[Route]:
        """Where the orders are served."""
        return [
            Route("/orders", self.place, methods=["POST"]),
            Route("/orders", self.index, methods=["GET"]),
            Route("/orders/count", self.count, methods=["GET"]),
        ]

    async def place(self, request: Request) -> Response:
        """Place an order under `?key=`; the first `?lost=` answers are lost; once per Idempotency-Key."""
        key = key_of(request)
        lost = integer(request, "lost", 0, most=1_000_000)

        async def act() -> Response:
            new = await json_body(request, NewOrder)
            order = Order(id=len(self.placed[key]) + 1, **new.model_dump())
            self.placed[key].append(order)
            return JSONResponse(order.model_dump(), status_code=201)

        await request.body()
        self.arrived[key] += 1
        arrival = self.arrived[key]
        answer = await self.repetitions.once(request, act)
        return HangUp() if arrival <= lost else answer

    async def index(self, request: Request) -> Response:
        """The orders placed under `?key=`."""
        return JSONResponse({"results": [order.model_dump() for order in self.placed.get(key_of(request), [])]})

    async def count(self, request: Request) -> Response:
        """How many requests to order arrived under `?key=`, and how many orders came of them."""
        key = key_of(request)
        return JSONResponse({"key": key, "arrived": self.arrived[key], "orders": len(self.placed.get(key, []))})


def key_of(request: Request) -> str:
    """The name that keeps one run's orders apart from another's."""
    return request.query_params.get("key", "default")
