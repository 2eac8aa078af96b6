"""Credentials for any call, by its authentication policy (DSL reference, "Authentication")."""

from hashlib import blake2b

import msgspec

from perdure.activities.authentication.certificate import certificate, identity_of
from perdure.activities.authentication.digest import digest
from perdure.activities.authentication.header import basic, bearer
from perdure.activities.authentication.oauth2 import Policy
from perdure.activities.authentication.policies import texts, typed
from perdure.activities.authentication.tokens import Tokens
from perdure.activities.contract import Call, CallFailed
from perdure.activities.credentials import Credentials
from perdure.activities.http_client import HttpClient
from perdure.activities.kept import Kept
from perdure.codec import Json, encode
from perdure.engine.errors import standard
from perdure.secrets import Secrets

SCHEMES = ("basic", "bearer", "certificate", "digest", "oauth2", "oidc")

CERTIFICATES_MAX = 100
CERTIFICATE_SECONDS = 24 * 3600.0
"""How long a TLS context is kept: connections are shared only by calls of the same one."""


class Authenticator:
    """One per worker, for performers of every kind.

    A performer sends `Credentials.authorization`; where the service says that it doesn't know who calls, it asks
    `Credentials.responder` for others and tries once more. For HTTP `http_client.HttpClient` does both.
    """

    def __init__(self, client: HttpClient, secrets: Secrets) -> None:
        self._secrets = secrets
        self._tokens = Tokens(client, secrets)
        self._certificates: Kept[bytes, Credentials] = Kept(CERTIFICATES_MAX)

    async def credentials(self, policy: Json, call: Call) -> Credentials:
        """The credentials that an evaluated policy stands for; none where there is no policy.

        Raises `CallFailed`, without any secret in it: configuration for a policy that can't be used,
        authorization for a secret that is missing or not listed, authentication where an authority refuses what
        it is shown, communication and timeout where it can't be asked.
        """
        match policy:
            case None:
                return Credentials()
            case {"basic": dict(given)}:
                return basic(*texts("basic", given, ("username", "password"), call.secrets, self._secrets))
            case {"bearer": dict(given)}:
                return bearer(*texts("bearer", given, ("token",), call.secrets, self._secrets))
            case {"digest": dict(given)}:
                return digest(*texts("digest", given, ("username", "password"), call.secrets, self._secrets))
            case {"certificate": dict(given)}:
                return await self._certificate(given, call)
            case {"oauth2": dict(given)}:
                return await self._token("oauth2", given, call)
            case {"oidc": dict(given)}:
                return await self._token("oidc", given, call)
        found = ", ".join(map(str, policy)) if isinstance(policy, dict) else type(policy).__name__
        detail = f"`authentication` must be one of {', '.join(SCHEMES)}; found {found or 'nothing'}."
        raise CallFailed(standard("configuration", detail))

    async def stop(self) -> None:
        """Forget, and as far as possible revoke, what was issued."""
        await self._tokens.stop()
        await self._certificates.stop()

    async def _token(self, scheme: str, given: dict[str, Json], call: Call) -> Credentials:
        policy = typed(scheme, given, Policy, call.secrets, self._secrets)
        return await self._tokens.credentials(scheme, policy, call.tenant)

    async def _certificate(self, given: dict[str, Json], call: Call) -> Credentials:
        identity = identity_of(given, call.secrets, self._secrets)

        async def make() -> tuple[Credentials, float]:
            return certificate(identity), CERTIFICATE_SECONDS

        key = blake2b(encode([call.tenant, msgspec.to_builtins(identity)]), digest_size=32).digest()
        return (await self._certificates.get(key, make))[0]
