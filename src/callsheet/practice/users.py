"""Users: create, read, replace, change and delete, in memory."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from callsheet.practice.idempotency import Repetitions
from callsheet.practice.models import NewUser, User, UserChanges
from callsheet.practice.problems import Problem
from callsheet.practice.request_values import choice, integer, json_body

# No Ada among them: the name is free for the first example of the docs.
SEEDED = (
    NewUser(name="Grace Hopper", email="grace@example.com"),
    NewUser(name="Edsger Dijkstra", email="edsger@example.com"),
    NewUser(name="Barbara Liskov", email="barbara@example.com"),
    NewUser(name="Alan Turing", email="alan@example.com", status="blocked"),
    NewUser(name="Margaret Hamilton", email="margaret@example.com"),
)


class Users:
    """The users of one practice API; a few are there from the start."""

    def __init__(self) -> None:
        self.by_id: dict[int, User] = {}
        self.last_id = 0
        self.repetitions = Repetitions()
        for new in SEEDED:
            self.add(new)

    def routes(self) -> list[Route]:
        """Where the users are served."""
        return [
            Route("/users", self.index, methods=["GET"]),
            Route("/users", self.create, methods=["POST"]),
            Route("/users/{id}", self.show, methods=["GET"]),
            Route("/users/{id}", self.replace, methods=["PUT"]),
            Route("/users/{id}", self.change, methods=["PATCH"]),
            Route("/users/{id}", self.delete, methods=["DELETE"]),
        ]

    def add(self, new: NewUser) -> User:
        """Give the user the next id and keep it."""
        self.last_id += 1
        user = User(id=self.last_id, **new.model_dump())
        self.by_id[user.id] = user
        return user

    def find(self, text: str) -> User:
        """The user with this id, or a 404."""
        user = self.by_id.get(int(text)) if text.isascii() and text.isdigit() and len(text) < 20 else None
        if user is None:
            raise Problem(404, f"there is no user {text[:40]!r}")
        return user

    def refuse_duplicate(self, email: str, *, but: int = 0) -> None:
        """A 409 if another user has this address."""
        for user in self.by_id.values():
            if user.email.lower() == email.lower() and user.id != but:
                raise Problem(409, f"user {user.id} has this email address already", existing=user.id)

    async def index(self, request: Request) -> Response:
        """The users, `?status=active|blocked`, `?page=` and `?size=` (100 at most)."""
        status = choice(request, "status", ("", "active", "blocked"))
        page = integer(request, "page", 1, least=1, most=1_000_000)
        size = integer(request, "size", 20, least=1, most=100)
        found = [user.model_dump() for user in self.by_id.values() if status in ("", user.status)]
        rows = found[(page - 1) * size : page * size]
        return JSONResponse({"results": rows, "page": page, "size": size, "total": len(found)})

    async def create(self, request: Request) -> Response:
        """Create a user; 201 with Location, 409 for a known address, once per Idempotency-Key."""

        async def act() -> Response:
            new = await json_body(request, NewUser)
            self.refuse_duplicate(new.email)
            user = self.add(new)
            return JSONResponse(user.model_dump(), status_code=201, headers={"Location": f"/users/{user.id}"})

        return await self.repetitions.once(request, act)

    async def show(self, request: Request) -> Response:
        """One user, or 404."""
        return JSONResponse(self.find(request.path_params["id"]).model_dump())

    async def replace(self, request: Request) -> Response:
        """Replace a user whole."""
        user = self.find(request.path_params["id"])
        new = await json_body(request, NewUser)
        return self.store(User(id=user.id, **new.model_dump()))

    async def change(self, request: Request) -> Response:
        """Change the given fields of a user."""
        user = self.find(request.path_params["id"])
        changes = await json_body(request, UserChanges)
        return self.store(user.model_copy(update=changes.model_dump(exclude_none=True)))

    def store(self, user: User) -> Response:
        """Keep the user's new state and answer with it."""
        self.refuse_duplicate(user.email, but=user.id)
        self.by_id[user.id] = user
        return JSONResponse(user.model_dump())

    async def delete(self, request: Request) -> Response:
        """Delete a user; 204."""
        del self.by_id[self.find(request.path_params["id"]).id]
        return Response(status_code=204)
