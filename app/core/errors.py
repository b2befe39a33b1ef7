"""Errors with a message for the caller, and the status and headers of the HTTP answer."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

Where = Literal["query", "path", "body", "header", "file"]


@dataclass(frozen=True)
class Fault:
    """One thing wrong with the input. `message` says what would be right and never repeats what was sent.

    `allowed` lists the values that would have been accepted, `did_you_mean` the nearest of them;
    `successor` is the id that took the place of a retired one.

    `id` names the record of the data set that it is about; what is in no data set is not repeated but counted:
    `position` says which of several values is meant, from 1.
    """

    where: Where
    field: str
    code: str
    message: str
    allowed: tuple[str, ...] | None = None
    did_you_mean: tuple[str, ...] | None = None
    successor: str | None = None
    id: str | None = None
    position: int | None = None


class AppError(Exception):
    """An error with a message for the caller. `code` is stable; `detail` is for people and may change."""

    status: ClassVar[int] = 500
    code: str = "internal_error"
    title: ClassVar[str] = "Something went wrong on our side"

    def __init__(self, detail: str, *, errors: Iterable[Fault] = (), headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})


class MalformedRequest(AppError):
    status = 400
    code = "malformed_request"
    title = "The request cannot be read"


class MalformedJson(MalformedRequest):
    code = "malformed_json"
    title = "The body is not JSON"


class NotFound(AppError):
    status = 404
    code = "not_found"
    title = "Not found"


class MethodNotAllowed(AppError):
    status = 405
    code = "method_not_allowed"
    title = "Method not allowed"

    def __init__(self, allow: Iterable[str]) -> None:
        allowed = ", ".join(sorted(allow))
        super().__init__(f"This address answers to {allowed}.", headers={"Allow": allowed})


class NotAcceptable(AppError):
    status = 406
    code = "not_acceptable"
    title = "No acceptable representation"

    def __init__(self, allowed: Iterable[str]) -> None:
        allowed = tuple(allowed)
        fault = Fault("header", "Accept", "not_acceptable", "Ask for one of the media types in `allowed`.", allowed)
        super().__init__("None of the media types in the Accept header can be produced here.", errors=[fault])


class Conflict(AppError):
    status = 409
    code = "conflict"
    title = "Conflict with the current state"


class Gone(AppError):
    """A retired record; `successor` is the id of the one to use instead, if there is one."""

    status = 410
    code = "gone"
    title = "Retired"

    def __init__(self, detail: str, *, successor: str | None = None, successor_url: str | None = None) -> None:
        link = {"Link": f'<{successor_url}>; rel="successor-version"'} if successor_url else None
        super().__init__(detail, headers=link)
        self.successor = successor
        self.successor_url = successor_url


class PayloadTooLarge(AppError):
    status = 413
    code = "payload_too_large"
    title = "The body is too large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The body may have at most {limit} bytes.")


class UriTooLong(AppError):
    status = 414
    code = "uri_too_long"
    title = "The address is too long"

    def __init__(self, limit: int) -> None:
        super().__init__(f"Address and headers may have at most {limit} bytes. POST /v1/search takes long questions.")


class UnsupportedMediaType(AppError):
    status = 415
    code = "unsupported_media_type"
    title = "The body has another media type"

    def __init__(self, allowed: Iterable[str]) -> None:
        allowed = tuple(allowed)
        message = "Send the body as one of the media types in `allowed`, in UTF-8."
        fault = Fault("header", "Content-Type", "unsupported_media_type", message, allowed)
        super().__init__(f"Send the body as {' or '.join(allowed)}, in UTF-8.", errors=[fault])


class InvalidInput(AppError):
    status = 422
    code = "invalid_input"
    title = "The input is not valid"


class HeadTooLarge(AppError):
    status = 431
    code = "request_header_fields_too_large"
    title = "The headers are too large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"Address and headers may have at most {limit} bytes.")


class Unavailable(AppError):
    """`retry_after` is in seconds."""

    status = 503
    code = "unavailable"
    title = "Not available at the moment"

    def __init__(self, detail: str, *, retry_after: int = 2) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


class RateLimited(AppError):
    """A client asked for more than it may in a time; `retry_after` is in seconds."""

    status = 429
    code = "rate_limited"
    title = "Too many requests"

    def __init__(self, retry_after: int) -> None:
        super().__init__(
            f"This address has asked for as much as it may. Go on in {retry_after} seconds.",
            headers={"Retry-After": str(retry_after)},
        )


def nearest(word: str, candidates: Iterable[str], n: int = 5) -> tuple[str, ...]:
    """The candidates most like the word, best first. Long words are cut: the comparison takes quadratic time."""
    return tuple(difflib.get_close_matches(word[:100], list(candidates), n=n, cutoff=0.5))
