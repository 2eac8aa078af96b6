"""How a request to the runtime can be refused. Each maps to one HTTP status."""

from perdure.definition.problems import Problem


class Refused(Exception):
    """The request can't be met; the message says what was expected, what was found and what to do."""

    status = 400

    def __init__(self, detail: str, problems: tuple[Problem, ...] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.problems = problems


class NotFound(Refused):
    """There is no such thing (in this tenant)."""

    status = 404


class Conflict(Refused):
    """The thing is not in a state that allows this."""

    status = 409


class Forbidden(Refused):
    """This person may not do this."""

    status = 403


class Busy(Refused):
    """There is too much to do already; the same request may be taken after `again_seconds`."""

    status = 429

    def __init__(self, detail: str, again_seconds: int) -> None:
        super().__init__(detail)
        self.again_seconds = again_seconds


class Left(Refused):
    """What was asked for is recorded, and left to services of a later release."""

    status = 503

    def __init__(self) -> None:
        super().__init__(
            "A later release has this process in hand. What was asked for is recorded, and is done once one of its "
            "workers is there; look at the process again then."
        )


class Invalid(Refused):
    """Decodable, but not acceptable; `problems` points into the body."""

    status = 422
