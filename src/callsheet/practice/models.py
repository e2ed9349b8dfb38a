"""What the practice API takes and gives, for the server's own checks and for a sheet's `json:` and `returns:`."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "Caller",
    "Echo",
    "Item",
    "NewOrder",
    "NewUser",
    "Order",
    "OrderCount",
    "Recovery",
    "Token",
    "Upload",
    "User",
    "UserChanges",
    "UserPage",
    "Waited",
]

Status = Literal["active", "blocked"]
"""Whether a user may do anything."""
EMAIL = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"


class NewUser(BaseModel):
    """A user to create, or what replaces one."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=100)
    email: str = Field(pattern=EMAIL, max_length=254)
    status: Status = "active"


class UserChanges(BaseModel):
    """The fields of a user to change; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(default=None, min_length=1, max_length=100)
    email: str | None = Field(default=None, pattern=EMAIL, max_length=254)
    status: Status | None = None


class User(BaseModel):
    """A user as the service knows it."""

    id: int
    name: str
    email: str
    status: Status


class UserPage(BaseModel):
    """One page of users; `total` counts all that match."""

    results: list[User]
    page: int
    size: int
    total: int


class Item(BaseModel):
    """One row of the paged collection."""

    id: int
    name: str


class NewOrder(BaseModel):
    """An order to place."""

    model_config = ConfigDict(extra="forbid")

    item: str = Field(min_length=1, max_length=100)
    quantity: int = Field(default=1, ge=1, le=1000)


class Order(BaseModel):
    """An order that was placed."""

    id: int
    item: str
    quantity: int


class OrderCount(BaseModel):
    """How many requests to order arrived under a key, and how many orders came of them."""

    key: str
    arrived: int
    orders: int


class Recovery(BaseModel):
    """What a flaky endpoint says once it works: the number of the attempt that got through, and the body it carried."""

    key: str
    attempt: int
    size: int
    sha256: str


class Waited(BaseModel):
    """How long a slow answer was held back."""

    seconds: float


class Upload(BaseModel):
    """What arrived at the upload endpoint: the bytes on the wire, not decoded."""

    size: int
    sha256: str
    content_type: str | None
    content_encoding: str | None
    content_length: int | None


class Echo(BaseModel):
    """A request as it arrived; a body that is not UTF-8 is given in base64 and `text` is null."""

    method: str
    path: str
    query_string: str
    query: list[tuple[str, str]]
    headers: list[tuple[str, str]]
    size: int
    text: str | None
    base64: str | None
    json_: Any = Field(default=None, alias="json")


class Token(BaseModel):
    """An access token as RFC 6749 section 5.1 gives it."""

    access_token: str
    token_type: str
    expires_in: int
    refresh_token: str
    scope: str


class Caller(BaseModel):
    """Whom a credential belongs to."""

    client: str
    scope: str
