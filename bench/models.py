"""What the benchmark's operation takes and gives."""

from datetime import datetime

from pydantic import BaseModel


class NewUser(BaseModel):
    name: str
    email: str


class User(BaseModel):
    id: int
    name: str
    email: str
    active: bool
    roles: list[str]
    created: datetime
