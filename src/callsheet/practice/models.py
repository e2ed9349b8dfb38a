"""The bodies that the practice API takes and gives; the server checks them, and a sheet names them as types."""

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
    """The body that creates or replaces a user."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=100)
    email: str = Field(pattern=EMAIL, max_length=254)
    status: Status = "active"


class UserChanges(BaseModel):
    """The body that changes a user; fields that are left out stay as they are."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(default=None, min_length=1, max_length=100)
    email: str | None = Field(default=None, pattern=EMAIL, max_length=254)
    status: Status | None = None


class User(BaseModel):
    """A user of the practice API."""

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
    """How many requests to order arrived under a key, and how many orders were placed."""

    key: str
    arrived: int
    orders: int


class Recovery(BaseModel):
    """The answer of a flaky endpoint once it works: the number of the attempt, and size and SHA-256 of its body."""

    key: str
    attempt: int
    size: int
    sha256: str


class Waited(BaseModel):
    """The answer of a slow endpoint: the seconds it waited."""

    seconds: float


class Upload(BaseModel):
    """Size, SHA-256 and content headers of an upload; the bytes are counted as they arrived, not decoded."""

    size: int
    sha256: str
    content_type: str | None
    content_encoding: str | None
    content_length: int | None


class Echo(BaseModel):
    """A request as it arrived; a body that is not UTF-8 is in `base64`, and `text` is null."""

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
    """The answer of the token endpoint (RFC 6749 5.1)."""

    access_token: str
    token_type: str
    expires_in: int
    refresh_token: str
    scope: str


class Caller(BaseModel):
    """The client and the scope that a bearer token stands for."""

    client: str
    scope: str
