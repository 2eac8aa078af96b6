"""Documents that definitions refer to (DSL reference, "External Resource"): fetched over HTTP, bounded, cached.

What is fetched is kept in memory for `KEPT_SECONDS`, so that a loop of calls by one OpenAPI document fetches it
once. A resource behind credentials is kept for the process's tenant and those credentials only.
"""

from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TypeAlias

from yarl import URL

from perdure.activities.caller import Caller
from perdure.activities.contract import Call, CallFailed, beside_the_call
from perdure.activities.http_client import Bound
from perdure.activities.http_request import request_of
from perdure.activities.http_response import failure_of
from perdure.activities.kept import Kept
from perdure.codec import Json, encode
from perdure.settings import Settings

KEPT_SECONDS = 300.0
KEPT_MAX = 200

_Key: TypeAlias = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class Resource:
    """A document as it was fetched. `uri` is where it was found, after redirections, `digest` that of the body."""

    uri: str
    media_type: str
    body: bytes
    digest: bytes


class Resources:
    """Fetches and remembers. Safe for many callers at once: one of them fetches, the others wait for it."""

    def __init__(self, caller: Caller, settings: Settings) -> None:
        self._caller = caller
        self._bound = Bound(settings.resource_bytes_max, "PERDURE_RESOURCE_BYTES_MAX")
        self._kept: Kept[_Key, Resource] = Kept(KEPT_MAX)

    async def fetch(self, endpoint: Json, call: Call, *, fresh: bool = False) -> Resource:
        """The resource at an evaluated ``endpoint``: a URI, or an object with ``uri`` and ``authentication``.

        `call` is on whose behalf: it names the tenant and the secrets that may be used. With `fresh`, one that is
        kept does not do. Raises `CallFailed`, without any secret in it.
        """
        uri, policy = _parts(endpoint)
        key = (call.tenant, blake2b(encode([uri, policy, sorted(call.secrets)]), digest_size=16).digest())
        if fresh and (kept := self._kept.last(key)) is not None:
            self._kept.end(key, kept)

        async def make() -> tuple[Resource, float]:
            return await self._fetch(uri, policy, call), KEPT_SECONDS

        return (await self._kept.get(key, make))[0]

    async def stop(self) -> None:
        """Drop what is under way, and forget all."""
        await self._kept.stop()

    async def _fetch(self, uri: Json, policy: Json, call: Call) -> Resource:
        try:
            request = request_of(replace(call, request={"method": "GET", "uri": uri, "redirect": True}))
        except CallFailed as failure:
            raise self._caller.redacted(failure.error) from None
        # Many calls may wait for this one, with their places: it must not wait in line.
        with beside_the_call():
            request, response = await self._caller.exchange(request, policy, call, limited=False, bound=self._bound)
        if not 200 <= response.status < 300:
            raise self._caller.redacted(failure_of(request, response).error, request.credentials)
        media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        digest = blake2b(response.body, digest_size=16).digest()
        return Resource(str(request.url), media_type, response.body, digest)


def beside(endpoint: Json, uri: str) -> Json:
    """The endpoint of a resource at `uri` that the one at `endpoint` leads to.

    The credentials are only for the origin that the author wrote: a redirection, or what a document says, may lead
    anywhere.
    """
    written, policy = _parts(endpoint)
    if policy is None or not _same_origin(str(written), uri):
        return uri
    return {"uri": uri, "authentication": policy}


def _same_origin(one: str, other: str) -> bool:
    try:
        return URL(one).origin() == URL(other).origin()
    except ValueError:  # no absolute URI
        return False


def _parts(endpoint: Json) -> tuple[Json, Json]:
    if isinstance(endpoint, dict):
        return endpoint.get("uri"), endpoint.get("authentication")
    return endpoint, None
