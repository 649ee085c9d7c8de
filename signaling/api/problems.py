"""What the HTTP API says when it refuses: RFC 9457 problem documents with stable codes.

`Problem`: `RequestInvalid`, `Unauthorised`, `Forbidden`, `NotFound`, `MethodWrong`, `RequestLate`, `Conflict`,
`TooLarge`, `MediaTypeWrong`, `RangeWrong`, `TooManyFailures`, `NotReady`, `Internal`; each has a status, and a code
the raiser may sharpen. Messages are English, for developers, and never name a person.
"""

from __future__ import annotations

import msgspec

MEDIA_TYPE = "application/problem+json"


class ProblemDocument(msgspec.Struct, frozen=True, omit_defaults=True):
    """RFC 9457: `code` is stable and for machines, `detail` is for people, `at` points into the request's body."""

    type: str
    title: str
    status: int
    code: str
    detail: str | None = None
    at: str | None = None
    request_id: str | None = None


class Problem(Exception):
    """A request that is refused. The whole tree is in the module's docstring."""

    status = 500
    code = "internal"
    title = "Something went wrong on our side"

    def __init__(self, detail: str | None = None, *, code: str | None = None, at: str | None = None) -> None:
        """`code` sharpens the class's own; `at` is a path into the body such as `doctor.name`."""
        super().__init__(detail or self.title)
        self.detail = detail
        self.at = at
        self.code = code or type(self).code

    def document(self, request_id: str | None = None) -> ProblemDocument:
        """As the client sees it."""
        return ProblemDocument(
            type=f"urn:teleconsult:problem:{self.code}",
            title=self.title,
            status=self.status,
            code=self.code,
            detail=self.detail,
            at=self.at,
            request_id=request_id,
        )


class RequestInvalid(Problem):
    """The body, a parameter or a header is not what the OpenAPI document says."""

    status = 400
    code = "request_invalid"
    title = "The request is not valid"


class Unauthorised(Problem):
    """No credential, or none that is good."""

    status = 401
    code = "auth_missing"
    title = "A valid credential is needed"


class Forbidden(Problem):
    """A good credential that does not reach this far."""

    status = 403
    code = "role_wrong"
    title = "This credential may not do that"


class NotFound(Problem):
    """There is no such thing, or not for this credential."""

    status = 404
    code = "not_found"
    title = "There is no such thing"


class MethodWrong(Problem):
    """The address exists, the method does not."""

    status = 405
    code = "method_wrong"
    title = "This address does not know that method"


class RequestLate(Problem):
    """The body did not come in time (RFC 9110 §15.5.9)."""

    status = 408
    code = "request_late"
    title = "The body did not come in time"


class Conflict(Problem):
    """The request contradicts what is already so."""

    status = 409
    code = "conflict"
    title = "This contradicts what is already so"


class TooLarge(Problem):
    """A body over the limit."""

    status = 413
    code = "payload_too_large"
    title = "The body is too large"


class MediaTypeWrong(Problem):
    """A body of another type than the route takes."""

    status = 415
    code = "media_type_wrong"
    title = "The body is of another type than this address takes"


class RangeWrong(Problem):
    """The bytes asked for are not there (RFC 9110 §15.5.17)."""

    status = 416
    code = "range_invalid"
    title = "The range is not satisfiable"


class TooManyFailures(Problem):
    """One source presented too many bad credentials."""

    status = 429
    code = "rate_limited"
    title = "Too many failed attempts; wait a little"


class NotReady(Problem):
    """A part behind this one is away."""

    status = 503
    code = "unavailable"
    title = "A part of the system is away; try again soon"


class Internal(Problem):
    """A bug of ours."""
