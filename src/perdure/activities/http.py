"""Performs HTTP calls (DSL reference, "HTTP Call").

With ``redirect: true`` the redirections 301, 302, 303, 307 and 308 are followed, up to
`http_client.HOPS_MAX`; a 3xx that leads nowhere is the response. Otherwise every status outside 200 to 299 is an
error, and nothing is followed.
"""

from perdure.activities.contract import Call, CallFailed
from perdure.activities.http_request import Request, request_of
from perdure.activities.http_response import failure_of, output_of
from perdure.activities.outside import Outside
from perdure.codec import Json
from perdure.engine.errors import Error


class HttpPerformer:
    """The implementation of `contract.Performer` for ``http``."""

    def __init__(self, outside: Outside) -> None:
        self._client = outside.http
        self._settings = outside.settings
        self._secrets = outside.secrets

    async def start(self) -> None:
        """The client is started by who owns it."""

    async def stop(self) -> None:
        """The client is stopped by who owns it."""

    async def perform(self, call: Call) -> Json:
        try:
            request = request_of(call, self._secrets)
        except CallFailed as failure:
            raise self._redacted(failure.error) from None
        try:
            request, response = await self._client.exchange(request)
            if response.status >= (400 if request.redirect else 300):
                raise failure_of(request, response)
            return self._secrets_removed(request, output_of(request, response, self._settings.payload_depth_max))
        except CallFailed as failure:
            raise self._redacted(failure.error, request) from None

    def _secrets_removed(self, request: Request, output: Json) -> Json:
        """The output without credentials: those of this call anywhere, all known secrets in headers."""
        output = request.credentials.redact(output)
        if request.output == "response":
            output = {
                **output,
                "request": self._secrets.redact(output["request"]),
                "headers": self._secrets.redact(output["headers"]),
            }
        return output

    def _redacted(self, error: Error, request: Request | None = None) -> CallFailed:
        if request is not None:
            error = request.credentials.redact_error(error)
        detail = self._secrets.redact_text(error.detail or "")
        return CallFailed(Error(error.type, error.status, error.title, detail))
