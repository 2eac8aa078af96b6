"""Documents that definitions refer to (DSL reference, "External Resource"): fetched over HTTP, bounded, cached.

What is fetched is kept in memory for `KEPT_SECONDS`, so that a loop of calls by one OpenAPI document fetches it
once. A resource behind credentials is kept for the process's tenant and those credentials only.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TypeAlias

from perdure import clock
from perdure.activities.contract import Call, CallFailed
from perdure.activities.http_client import HttpClient
from perdure.activities.http_request import request_of
from perdure.activities.http_response import failure_of
from perdure.codec import Json, encode
from perdure.engine.errors import Error, standard
from perdure.secrets import Secrets
from perdure.settings import Settings

KEPT_SECONDS = 300.0
KEPT_MAX = 200

_Key: TypeAlias = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class Resource:
    """A document as it was fetched. `uri` is where it was found, after redirections."""

    uri: str
    media_type: str
    body: bytes


class Resources:
    """Fetches and remembers. Safe for many callers at once: one of them fetches, the others wait for it."""

    def __init__(self, client: HttpClient, settings: Settings, secrets: Secrets) -> None:
        self._client = client
        self._settings = settings
        self._secrets = secrets
        self._kept: OrderedDict[_Key, tuple[float, Resource]] = OrderedDict()
        self._fetching: dict[_Key, asyncio.Lock] = {}

    async def fetch(self, endpoint: Json, call: Call, *, fresh: bool = False) -> Resource:
        """The resource at an evaluated ``endpoint``: a URI, or an object with ``uri`` and ``authentication``.

        `call` is on whose behalf: it names the tenant and the secrets that may be used. With `fresh`, one that is
        kept does not do. Raises `CallFailed`, without any secret in it.
        """
        uri, policy = _parts(endpoint)
        key = (call.tenant, blake2b(encode([uri, policy, sorted(call.secrets)]), digest_size=16).digest())
        async with self._fetching.setdefault(key, asyncio.Lock()):
            try:
                kept = self._kept.get(key)
                if not fresh and kept is not None and kept[0] > clock.monotonic():
                    return kept[1]
                resource = await self._fetch(uri, policy, call)
                self._keep(key, resource)
                return resource
            finally:
                self._fetching.pop(key, None)

    def _keep(self, key: _Key, resource: Resource) -> None:
        self._kept[key] = (clock.monotonic() + KEPT_SECONDS, resource)
        self._kept.move_to_end(key)
        if len(self._kept) > KEPT_MAX:
            self._kept.popitem(last=False)

    async def _fetch(self, uri: Json, policy: Json, call: Call) -> Resource:
        arguments = {"method": "GET", "uri": uri, "redirect": True, "authentication": policy}
        try:
            request = request_of(replace(call, request=arguments), self._secrets)
        except CallFailed as failure:
            raise self._redacted(failure.error) from None
        try:
            request, response = await self._client.exchange(request)
            if not 200 <= response.status < 300:
                raise failure_of(request, response)
            bytes_max = self._settings.resource_bytes_max
            if len(response.body) > bytes_max:
                detail = f"{request.url} is longer than {bytes_max} bytes (PERDURE_RESOURCE_BYTES_MAX)."
                raise CallFailed(standard("communication", detail))
        except CallFailed as failure:
            raise self._redacted(request.credentials.redact_error(failure.error)) from None
        media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        return Resource(str(request.url), media_type, response.body)

    def _redacted(self, error: Error) -> CallFailed:
        return CallFailed(Error(error.type, error.status, error.title, self._secrets.redact_text(error.detail or "")))


def _parts(endpoint: Json) -> tuple[Json, Json]:
    if isinstance(endpoint, dict):
        return endpoint.get("uri"), endpoint.get("authentication")
    return endpoint, None
