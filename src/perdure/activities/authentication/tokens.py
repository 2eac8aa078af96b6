"""Access tokens: requested where none is at hand, kept until shortly before they end, renewed after a refusal.

They are in this process's memory only. Of many calls that need the same token one requests it, and the others
wait for it. A token belongs to the tenant, and to the policy with the secrets that it names.
"""

import asyncio
import contextlib
from dataclasses import dataclass, replace
from hashlib import blake2b

import msgspec

from perdure.activities.authentication import token_requests
from perdure.activities.authentication.header import bearer
from perdure.activities.authentication.oauth2 import Policy, grant_of, refresh_of
from perdure.activities.authentication.provider import Provider, declared, discovered
from perdure.activities.authentication.token_response import Token
from perdure.activities.contract import CallFailed
from perdure.activities.credentials import Credentials, Refusal, redacted
from perdure.activities.http_client import HttpClient
from perdure.activities.kept import Kept
from perdure.codec import encode
from perdure.engine.errors import BASE
from perdure.secrets import Secrets

TOKENS_MAX = 1000
REVOCATION_SECONDS_MAX = 1.0

_REFUSALS = (f"{BASE}authentication", f"{BASE}authorization", f"{BASE}configuration")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which token is wanted: `key` says the same of all callers who may share it."""

    scheme: str
    policy: Policy
    key: bytes


@dataclass(frozen=True, slots=True)
class _Held:
    token: Token
    provider: Provider
    policy: Policy

    def proofs(self) -> tuple[str, ...]:
        tokens = (self.token.access, self.token.refresh or "")
        return (*self.policy.proofs(), *filter(None, tokens))

    def credentials(self) -> Credentials:
        return replace(bearer(self.token.access), proofs=self.proofs())


class Tokens:
    """Safe for many callers at once. What it raises holds no secret."""

    def __init__(self, client: HttpClient, secrets: Secrets) -> None:
        self._client = client
        self._secrets = secrets
        self._kept: Kept[bytes, _Held] = Kept(TOKENS_MAX)

    async def credentials(self, scheme: str, policy: Policy, tenant: str) -> Credentials:
        """Bearer credentials by a policy of ``oauth2`` or ``oidc``. Raises `CallFailed`."""
        policy.require_complete()
        text = encode([tenant, scheme, msgspec.to_builtins(policy)])
        wanted = _Wanted(scheme, policy, blake2b(text, digest_size=32).digest())
        held, was_kept = await self._get(wanted)
        found = held.credentials()
        if not was_kept:
            return found
        return replace(found, responder=_Renewal(self, wanted, held))

    async def renewed(self, wanted: _Wanted, refused: _Held) -> Credentials:
        """Credentials by another token than the one that was refused. Raises `CallFailed`."""
        self._kept.end(wanted.key, refused)
        held, _ = await self._get(wanted)
        return held.credentials()

    async def stop(self) -> None:
        """Forget all tokens. Those of a policy with a revocation endpoint are revoked, if that can be done soon."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(REVOCATION_SECONDS_MAX):
                revocations = [
                    token_requests.revoke(self._client, held.policy, held.provider, held.token)
                    for held in self._kept.all()
                    if held.provider.revocation is not None
                ]
                await asyncio.gather(*revocations, return_exceptions=True)
        await self._kept.stop()

    async def _get(self, wanted: _Wanted) -> tuple[_Held, bool]:
        async def make() -> tuple[_Held, float]:
            held = await self._obtained(wanted, self._kept.last(wanted.key))
            return held, held.token.seconds

        return await self._kept.get(wanted.key, make)

    async def _obtained(self, wanted: _Wanted, last: _Held | None) -> _Held:
        """A token: by the refresh token that came with the last one, if that is accepted, else by the grant."""
        policy = wanted.policy
        proofs = policy.proofs() if last is None else last.proofs()
        try:
            provider = declared(policy) if wanted.scheme == "oauth2" else await discovered(policy, self._client)
            token = await self._refreshed(policy, provider, last)
            if token is None:
                token = await token_requests.issue(self._client, policy, provider, grant_of(policy))
        except CallFailed as failure:
            raise redacted(failure.error, self._secrets, Credentials(proofs=proofs)) from None
        return _Held(token, provider, policy)

    async def _refreshed(self, policy: Policy, provider: Provider, last: _Held | None) -> Token | None:
        if last is None or last.token.refresh is None or policy.grant == "client_credentials":
            return None
        try:
            token = await token_requests.issue(self._client, policy, provider, refresh_of(policy, last.token.refresh))
        except CallFailed as failure:
            if failure.error.type in _REFUSALS:
                return None
            raise
        return token if token.refresh else replace(token, refresh=last.token.refresh)


@dataclass(frozen=True, slots=True)
class _Renewal:
    """After a 401 for a token that had been kept: another one, once."""

    tokens: Tokens
    wanted: _Wanted
    refused: _Held

    async def answer(self, refusal: Refusal) -> Credentials | None:
        return await self.tokens.renewed(self.wanted, self.refused)
