"""Sends authenticated HTTP requests for calls, and keeps secrets out of what goes wrong."""

from yarl import URL

from perdure.activities.authentication.authenticator import Authenticator
from perdure.activities.authentication.header import basic
from perdure.activities.contract import Call, CallFailed
from perdure.activities.credentials import Credentials, redacted
from perdure.activities.http_client import Bound, HttpClient, Until
from perdure.activities.http_request import KeyPlace, Request
from perdure.activities.http_response import Response, failure_of, output_of
from perdure.codec import Json
from perdure.engine.errors import Error
from perdure.secrets import Secrets


class Caller:
    """What performers of HTTP-based calls share. All it raises is a `CallFailed` without any secret in it."""

    def __init__(self, client: HttpClient, authenticator: Authenticator, secrets: Secrets, depth_max: int) -> None:
        self._client = client
        self._authenticator = authenticator
        self._secrets = secrets
        self._depth_max = depth_max

    async def output(self, request: Request, policy: Json, call: Call, key: KeyPlace | None = None) -> Json:
        """The output of the call in the mode that the request asks for; a status that is no success is an error."""
        request, response = await self.exchange(request, policy, call, key)
        try:
            if response.status >= (400 if request.redirect else 300):
                raise failure_of(request, response)
            output = output_of(request, response, self._depth_max)
        except CallFailed as failure:
            raise self.redacted(failure.error, request.credentials) from None
        return self._secrets_removed(request, output)

    async def exchange(
        self,
        request: Request,
        policy: Json,
        call: Call,
        key: KeyPlace | None = None,
        until: Until | None = None,
        *,
        limited: bool = True,
        bound: Bound | None = None,
    ) -> tuple[Request, Response]:
        """The response whatever its status, and the request that it answers, which knows the credentials sent.

        Credentials in the URI count where there is no policy. Those of a policy go where `key` says. `until` may end
        the reading before the response does, `bound` is how long it may be where that is not as long as any. Without
        `limited`, the limits of hosts do not hold.
        """
        try:
            if policy is None:
                credentials = _credentials_in(request.url)
            else:
                credentials = await self._authenticator.credentials(policy, call)
            request = request.authenticated(credentials) if key is None else request.keyed(credentials, key)
            return await self._client.exchange(request, until, limited=limited, bound=bound)
        except CallFailed as failure:
            raise self.redacted(failure.error, request.credentials) from None

    def redacted(self, error: Error, credentials: Credentials | None = None) -> CallFailed:
        """See `credentials.redacted`."""
        return redacted(error, self._secrets, credentials)

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


def _credentials_in(url: URL) -> Credentials:
    if url.user is None and url.password is None:
        return Credentials()
    return basic(url.user or "", url.password or "")
