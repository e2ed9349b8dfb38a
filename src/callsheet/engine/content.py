"""Undoing an answer's content codings, under the cap."""

from __future__ import annotations

from callsheet.errors import DecodeError, ResponseError, ResponseTooLarge
from callsheet.http.codings import (
    BrokenCodingError,
    TooLargeError,
    UnknownCodingError,
    codings_in,
    decoded,
    decoders_for,
)
from callsheet.http.response import Response
from callsheet.settings.caps import Caps


def undo_codings(response: Response, caps: Caps) -> None:
    """Replace the body by its decoded form; a body in an unknown coding stays as it came.

    Raises DecodeError or ResponseTooLarge, and then the body is gone.
    """
    content = response.content
    if not content:
        return
    if response.field(b"content-encoding") is None:
        if len(content) > caps.response:
            raise _too_large(response, caps)
        return
    codings = codings_in(response.headers["content-encoding"])
    try:
        response.decode_with(lambda raw: decoded(raw, decoders_for(codings, caps.encodings), caps.response))
    except UnknownCodingError as error:
        if len(content) > caps.response:
            raise _too_large(response, caps) from None
        response.left_coded = str(error)
    except BrokenCodingError as error:
        response.drop_content()
        message = f"{response.status_code}: the answer's body cannot be decoded: {error}"
        raise DecodeError(message, **response.facts()) from None
    except TooLargeError:
        raise _too_large(response, caps) from None


def undo_early(response: Response, caps: Caps) -> None:
    """Undo the codings before policies look into the body. Where that fails the body is dropped; `undo_once` raises why."""
    try:
        undo_codings(response, caps)
    except ResponseError as error:
        response.undone = error
    else:
        response.undone = None


def undo_once(response: Response, caps: Caps) -> None:
    """Undo the codings, unless `undo_early` has. Raises DecodeError or ResponseTooLarge."""
    if not hasattr(response, "undone"):
        undo_codings(response, caps)
    elif response.undone is not None:
        raise response.undone


def _too_large(response: Response, caps: Caps) -> ResponseTooLarge:
    response.drop_content()
    return ResponseTooLarge(f"the answer is larger than {caps.response} bytes (caps.response)", **response.facts())
