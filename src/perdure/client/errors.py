"""How a call to the API can fail."""

from perdure.client.models import Fault


class ApiError(Exception):
    """The server refused: its problem details (RFC 9457)."""

    def __init__(self, status: int, title: str, detail: str, faults: list[Fault] | None = None) -> None:
        super().__init__(f"{title}: {detail}" if detail else title)
        self.status = status
        self.title = title
        self.detail = detail
        self.faults = faults or []


class Unreachable(Exception):
    """No answer came from the server, or one that is not this API's."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"no Perdure server answers at {url}: {reason}")
        self.url = url
        self.reason = reason
