"""Says once that a server is away and once that it is back, and spares it and us the attempts in between."""

from typing import Final

import structlog

from perdure import clock

PAUSE_SECONDS: Final = 1.0
"""How long a server that failed is left alone."""

_log = structlog.get_logger(__name__)


class Outage:
    """The state of one server, as its last answer told."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._until = float("-inf")
        self.reason: str | None = None
        """What is wrong; None while nothing is."""

    @property
    def pausing(self) -> bool:
        """Whether asking again would be too soon."""
        return self.reason is not None and clock.monotonic() < self._until

    def begin(self, error: BaseException) -> None:
        """It failed."""
        if self.reason is None:
            _log.warning("coordination goes on without its server", server=self._server, reason=type(error).__name__)
        self.reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        self._until = clock.monotonic() + PAUSE_SECONDS

    def end(self) -> None:
        """It answered."""
        if self.reason is not None:
            _log.info("coordination has its server back", server=self._server)
            self.reason = None
