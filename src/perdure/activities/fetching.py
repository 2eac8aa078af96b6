"""Fetches for the registration of definitions what they need from outside their documents."""

from perdure import clock
from perdure.activities.contract import Call, Fetched
from perdure.activities.outside import Outside
from perdure.codec import Json

_FUNCTION = "fetch"


class OutsideFetcher:
    """The implementation of `contract.Fetcher`. It asks anew each time: what is pinned must be what is there."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    async def fetch(self, endpoint: Json, tenant: str, secrets: frozenset[str]) -> Fetched:
        request = clock.uuid7()
        call = Call(
            process=request,
            activity=request,
            attempt=1,
            function=_FUNCTION,
            reference="",
            request=None,
            tenant=tenant,
            idempotency_key=str(request),
            secrets=secrets,
        )
        found = await self._outside.resources.fetch(endpoint, call, fresh=True)
        return Fetched(found.uri, found.media_type, found.body)

    async def start(self) -> None:
        await self._outside.start()

    async def stop(self) -> None:
        await self._outside.stop()
