"""The one exchange that everybody makes: a small JSON POST and its answer."""

PATH = "/users"
BODY = {"name": "Ada Lovelace", "email": "ada@example.com"}
ANSWER = (
    b'{"id":7,"name":"Ada Lovelace","email":"ada@example.com","active":true,'
    b'"roles":["reader","writer"],"created":"2026-01-02T03:04:05Z"}'
)
