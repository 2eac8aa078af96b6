"""Performs HTTP calls (DSL reference, "HTTP Call").

With ``redirect: true`` the redirections 301, 302, 303, 307 and 308 are followed, up to
`http_client.HOPS_MAX`; a 3xx that leads nowhere is the response. Otherwise every status outside 200 to 299 is an
error, and nothing is followed.
"""

from perdure.activities.contract import Call, CallFailed
from perdure.activities.http_request import request_of
from perdure.activities.outside import Outside
from perdure.codec import Json


class HttpPerformer:
    """The implementation of `contract.Performer` for ``http``."""

    def __init__(self, outside: Outside) -> None:
        self._caller = outside.caller

    async def start(self) -> None:
        """The client is started by who owns it."""

    async def stop(self) -> None:
        """The client is stopped by who owns it."""

    async def perform(self, call: Call) -> Json:
        try:
            request = request_of(call)
        except CallFailed as failure:
            raise self._caller.redacted(failure.error) from None
        return await self._caller.output(request, call.request.get("authentication"), call)
