"""What is asked of an authority: to issue a token, to say about one, to revoke one (RFC 6749, 7662, 7009)."""

from urllib.parse import urlencode

from multidict import CIMultiDict

from perdure.activities.authentication.clients import proof_of
from perdure.activities.authentication.oauth2 import JSON, Parameters, Policy
from perdure.activities.authentication.policies import unauthenticated
from perdure.activities.authentication.provider import Provider
from perdure.activities.authentication.token_response import Token, token_of
from perdure.activities.contract import CallFailed, beside_the_call
from perdure.activities.http_client import HttpClient
from perdure.activities.http_request import USER_AGENT, Request, url_of
from perdure.activities.http_response import Response, content_of, failure_of
from perdure.codec import Json, encode
from perdure.engine.errors import standard

ANSWER_DEPTH_MAX = 32


async def issue(client: HttpClient, policy: Policy, provider: Provider, grant: Parameters) -> Token:
    """A token that the authority issues, from an issuer that the policy allows. Raises `CallFailed`."""
    token = token_of(*await _post(client, policy, provider.token, grant))
    if policy.issuers:
        await _require_issuer(client, policy, provider, token)
    return token


async def revoke(client: HttpClient, policy: Policy, provider: Provider, token: Token) -> None:
    """Tell the authority that the token is no longer needed. Raises `CallFailed` if it can't be told."""
    if provider.revocation is not None:
        kept = ("refresh_token", token.refresh) if token.refresh else ("access_token", token.access)
        parameters = [("token", kept[1]), ("token_type_hint", kept[0])]
        await _post(client, policy, provider.revocation, parameters)


async def _require_issuer(client: HttpClient, policy: Policy, provider: Provider, token: Token) -> None:
    """Of a JWT by its claim; of an opaque token by introspection, where the authority offers it."""
    issuer, known = token.issuer, token.is_jwt
    if not known and provider.introspection is not None:
        claims = await _introspect(client, policy, provider.introspection, token)
        issuer, known = claims.get("iss"), True
    if known and issuer not in policy.issuers:
        found = "no issuer" if issuer is None else f"the issuer {str(issuer)[:200]}"
        raise unauthenticated(f"The token has {found}; expected {' or '.join(policy.issuers)}.")


async def _introspect(client: HttpClient, policy: Policy, uri: str, token: Token) -> dict[str, Json]:
    request, response = await _post(client, policy, uri, [("token", token.access)])
    if response.status != 200:
        raise failure_of(request, response)
    claims = content_of(response, ANSWER_DEPTH_MAX)
    if not isinstance(claims, dict):
        raise CallFailed(standard("communication", f"{request.url} does not answer as an introspection endpoint does."))
    if claims.get("active") is not True:
        raise unauthenticated(f"{request.url} says that the token is not active.")
    return claims


async def _post(client: HttpClient, policy: Policy, uri: str, parameters: Parameters) -> tuple[Request, Response]:
    """Redirections are not followed: the request holds what proves the client."""
    proof, headers = proof_of(policy.client, uri)
    parameters = parameters + proof
    encoding = policy.request.encoding
    body = encode(_object(parameters)) if encoding == JSON else urlencode(parameters).encode()
    request = Request(
        "POST",
        url_of(uri, "authority"),
        headers=CIMultiDict(
            {"Content-Type": encoding, "Accept": "application/json", "User-Agent": USER_AGENT, **headers}
        ),
        body=body,
    )
    with beside_the_call():
        return await client.exchange(request)


def _object(parameters: Parameters) -> dict[str, Json]:
    """The parameters as an object; one that is repeated is an array."""
    found: dict[str, list[str]] = {}
    for name, value in parameters:
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}
