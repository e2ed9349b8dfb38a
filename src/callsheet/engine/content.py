"""Undoing an answer's content codings, under the cap."""

from __future__ import annotations

from callsheet.errors import DecodeError, ResponseTooLarge
from callsheet.http.codings import BrokenCodingError, TooLargeError, codings_in, decoded, decoders_for
from callsheet.http.response import Response
from callsheet.settings.caps import Caps


def undo_codings(response: Response, caps: Caps) -> None:
    """Replace the body by its decoded form. Raises DecodeError or ResponseTooLarge, and then the body is gone."""
    if not response.content or response.field(b"content-encoding") is None:
        return
    codings = codings_in(response.headers["content-encoding"])
    try:
        response.decode_with(lambda raw: decoded(raw, decoders_for(codings, caps.encodings), caps.response))
    except BrokenCodingError as error:
        response.drop_content()
        message = f"{response.status_code}: the answer's body cannot be decoded: {error}"
        raise DecodeError(message, **response.facts()) from None
    except TooLargeError:
        response.drop_content()
        message = f"the decoded answer is larger than {caps.response} bytes (caps.response)"
        raise ResponseTooLarge(message, **response.facts()) from None
