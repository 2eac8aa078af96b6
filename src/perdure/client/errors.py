"""How a call to the API can fail. Everything is a `PerdureError`."""

from collections.abc import Mapping

from perdure.client.models import Fault, Json


class PerdureError(Exception):
    """What all errors of this package are."""


class ApiError(PerdureError):
    """The server refused: its problem details (RFC 9457). There is a kind for each status."""

    def __init__(
        self, status: int, title: str, detail: str, faults: list[Fault] | None = None, type_: str = "about:blank"
    ) -> None:
        super().__init__(f"{title}: {detail}" if detail else title)
        self.status = status
        self.type = type_
        self.title = title
        self.detail = detail
        self.faults = faults or []
        """Everything found to be wrong with the request, with its place."""
        self.again_seconds = 0.0
        """How long the server wants to be left alone before the next try."""


class Undecodable(ApiError):
    """400: the body is not JSON, or not YAML."""


class Unauthenticated(ApiError):
    """401: there is no valid API key."""


class Forbidden(ApiError):
    """403: this is not allowed to the caller, or to the person for whom it acts."""


class NotFound(ApiError):
    """404: there is no such thing."""


class Conflict(ApiError):
    """409: the thing is not in a state that allows this; of a job, the lease has ended."""


class TooLarge(ApiError):
    """413: the body is larger than the server takes."""


class Invalid(ApiError):
    """422: decodable, but not acceptable; `faults` says where and why."""


class TooMany(ApiError):
    """429: the server has too much to do already; the same call may succeed later."""


class Unavailable(ApiError):
    """503: the server can't reach its database or broker; the same call may succeed later."""


class Unreachable(PerdureError):
    """No answer came from the server, or one that is not this API's."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"no Perdure server answers at {url}: {reason}")
        self.url = url
        self.reason = reason


class JobFailed(PerdureError):
    """Raised by a job's handler: the job can't be done.

    What is said here is raised in the process as an error of the DSL, where ``try`` may catch it by `type` (a
    URI) and `status`. With `retryable` the platform offers the job again first, after a growing pause and a
    bounded number of times.
    """

    def __init__(
        self,
        detail: str = "",
        *,
        type: str | None = None,  # noqa: A002 - the name in RFC 9457
        status: int | None = None,
        title: str | None = None,
        retryable: bool = False,
    ) -> None:
        super().__init__(detail or title or type or "the job failed")
        self.detail = detail
        self.type = type
        self.status = status
        self.title = title
        self.retryable = retryable

    def problem(self) -> dict[str, Json]:
        """As problem details, without what was not said."""
        said = {"type": self.type, "status": self.status, "title": self.title, "detail": self.detail or None}
        return {name: value for name, value in said.items() if value is not None}


class JobLost(PerdureError):
    """The job is no longer this worker's: its lease has ended, or its process has. Its result would be refused."""


KINDS: Mapping[int, type[ApiError]] = {
    400: Undecodable,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: TooLarge,
    422: Invalid,
    429: TooMany,
    503: Unavailable,
}
