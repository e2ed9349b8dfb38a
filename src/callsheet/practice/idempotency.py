"""`Idempotency-Key` (IETF draft): the first answer under a key is the answer to every repetition."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from callsheet.practice.problems import Problem


class Repetitions:
    """Remembers the first answer under each key, and refuses the key for another body."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[bytes, Response]] = {}

    async def once(self, request: Request, act: Callable[[], Awaitable[Response]]) -> Response:
        """Call `act` and remember its answer, or repeat the answer remembered for the key. Errors are not remembered."""
        key = request.headers.get("idempotency-key", "").strip().strip('"')
        if not key:
            return await act()
        body = await request.body()
        # The body is read first: `act` then awaits nothing that suspends, so two requests with one key cannot both act.
        if key in self.answers:
            return self.repeated(key, body)
        answer = await act()
        self.answers[key] = (body, answer)
        return answer

    def repeated(self, key: str, body: bytes) -> Response:
        """The remembered answer with `Idempotency-Replayed: true`. Raises Problem (422) for another body."""
        first, answer = self.answers[key]
        if body != first:
            raise Problem(422, "this Idempotency-Key was used with another body; take a new key for a new request")
        answer.headers["Idempotency-Replayed"] = "true"
        return answer
