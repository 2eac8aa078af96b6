"""Where an authority's endpoints are: by the policy's paths, or as discovered (OpenID Connect Discovery 1.0)."""

from dataclasses import dataclass

import msgspec

from perdure.activities.authentication.oauth2 import Policy
from perdure.activities.authentication.policies import unauthenticated
from perdure.activities.contract import CallFailed, beside_the_call
from perdure.activities.http_client import HttpClient
from perdure.activities.http_request import Request, url_of
from perdure.activities.http_response import failure_of
from perdure.engine.errors import standard

WELL_KNOWN = "/.well-known/openid-configuration"

CONFIGURATION_BYTES_MAX = 256 * 1024


@dataclass(frozen=True, slots=True)
class Provider:
    """The URIs to ask. Those that are None are not used."""

    token: str
    revocation: str | None = None
    introspection: str | None = None


class _Configuration(msgspec.Struct):
    """What is used of the provider's metadata (OpenID Connect Discovery 1.0, section 3)."""

    issuer: str
    token_endpoint: str
    introspection_endpoint: str | None = None


def declared(policy: Policy) -> Provider:
    """The endpoints below the authority."""

    def at(path: str) -> str:
        return path if "://" in path else f"{policy.authority.rstrip('/')}/{path.lstrip('/')}"

    endpoints = policy.endpoints
    return Provider(
        at(endpoints.token),
        at(endpoints.revocation) if endpoints.revocation else None,
        at(endpoints.introspection) if endpoints.introspection else None,
    )


async def discovered(policy: Policy, client: HttpClient) -> Provider:
    """The endpoints that the provider publishes. Raises `CallFailed`."""
    request = Request("GET", url_of(f"{_issuer(policy)}{WELL_KNOWN}", "authority"), redirect=True)
    request.headers["Accept"] = "application/json"
    with beside_the_call():
        request, response = await client.exchange(request)
    if response.status != 200:
        raise failure_of(request, response)
    return published(policy, str(request.url), response.body)


def published(policy: Policy, uri: str, body: bytes) -> Provider:
    """The endpoints by the configuration that was found at `uri`. Raises `CallFailed`.

    Its issuer must be the authority (section 4.3), or one that the policy lists: a provider within the same
    network is often reached under another name than its public one.
    """
    issuer = _issuer(policy)
    configuration = _configuration(uri, body)
    allowed = {issuer, *(name.rstrip("/") for name in policy.issuers)}
    if configuration.issuer.rstrip("/") not in allowed:
        raise unauthenticated(
            f"{uri} says that its issuer is {configuration.issuer}, expected {' or '.join(sorted(allowed))}; "
            "list it under `issuers` if it is the right one."
        )
    endpoints = (configuration.token_endpoint, configuration.introspection_endpoint)
    if issuer.startswith("https:") and any(one and not one.startswith("https:") for one in endpoints):
        raise unauthenticated(f"{uri} leads from https to endpoints without TLS; no secret is sent there.")
    return Provider(configuration.token_endpoint, introspection=configuration.introspection_endpoint)


def _issuer(policy: Policy) -> str:
    return policy.authority.removesuffix(WELL_KNOWN).rstrip("/")


def _configuration(uri: str, body: bytes) -> _Configuration:
    what = f"{uri} is no OpenID Connect provider's configuration"
    if len(body) > CONFIGURATION_BYTES_MAX:
        detail = f"{what}: it is longer than {CONFIGURATION_BYTES_MAX} bytes."
        raise CallFailed(standard("communication", detail))
    try:
        return msgspec.json.decode(body, type=_Configuration)
    except (msgspec.DecodeError, RecursionError) as error:
        raise CallFailed(standard("communication", f"{what}: {error}.")) from None
