"""What serves until the database can be reached for the first time: alive, but not ready."""

from typing import Any, cast

from perdure.runtime.platform import Platform
from perdure.store.contract import StoreUnavailable


class Starting:
    """The `Platform` that begins to be one once it is given. Until then, everything meets an outage.

    A service that is started together with its database, or while that is away, waits for it as it would later on.
    """

    def __init__(self) -> None:
        self._begun: Platform | None = None
        self._reason = "it is not connected yet"

    @property
    def platform(self) -> Platform:
        """Itself, as whoever serves it sees it."""
        return cast("Platform", self)

    def waits(self, reason: str) -> None:
        """Why it can't begin yet."""
        self._reason = reason

    def begin(self, platform: Platform) -> None:
        self._begun = platform

    async def ready(self) -> dict[str, Any]:
        return {"database": self._reason} if self._begun is None else await self._begun.ready()

    def __getattr__(self, operation: str) -> Any:
        return self._unavailable if self._begun is None else getattr(self._begun, operation)

    async def _unavailable(self, *_: object, **__: object) -> Any:
        raise StoreUnavailable(self._reason)
