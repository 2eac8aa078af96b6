"""Server-sent events (WHATWG HTML, section 9.2), as far as the API's live history uses them."""

from perdure.client.models import HistoryEntry
from perdure.codec import decode

PREFIX = b"data:"


class Events:
    """Turns the bytes of a stream into history entries, however they are cut."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[HistoryEntry]:
        """The entries that are complete with this."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [decode(line[len(PREFIX) :]) for line in lines if line.startswith(PREFIX)]
