"""Credentials of outgoing calls: DSL reference, "Authentication", basic (RFC 7617) and bearer (RFC 6750)."""

import base64
from dataclasses import dataclass

from perdure.activities.contract import CallFailed
from perdure.codec import Json
from perdure.engine.asks import AskFailed, Authorization
from perdure.engine.errors import standard
from perdure.secrets import REDACTED, SecretMissing, Secrets

REDACTED_CHARACTERS_MIN = 8
"""Credentials shorter than this are too likely to occur in ordinary data by chance."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """The value of the Authorization header, if any, and the texts that prove who calls."""

    authorization: str | None = None
    proofs: tuple[str, ...] = ()

    def redact(self, value: Json) -> Json:
        """The value without these credentials, which a careless service may echo."""
        proofs = [proof for proof in self.proofs if len(proof) >= REDACTED_CHARACTERS_MIN]
        return _without(value, proofs) if proofs else value


def credentials(
    policy: Json, listed: frozenset[str], secrets: Secrets, *, user: str | None = None, password: str | None = None
) -> Credentials:
    """The credentials that an authentication policy names, or those in the URI where there is no policy.

    `listed` are the secrets that the policy may use. Raises `CallFailed`: configuration for a policy that is not
    known, authorization for a secret that is missing or not listed, authentication for one that lacks what the
    scheme needs.
    """
    if policy is None:
        return Credentials() if user is None and password is None else _basic(user or "", password or "")
    match policy:
        case {"basic": dict(basic)}:
            values = _values(basic, ("username", "password"), listed, secrets)
            return _basic(values["username"], values["password"])
        case {"bearer": dict(bearer)}:
            token = _values(bearer, ("token",), listed, secrets)["token"]
            if not token.isascii() or not token.isprintable():
                raise _unauthenticated("The bearer token has characters that a header can't carry.")
            return Credentials(f"Bearer {token}", (token,))
    found = ", ".join(map(str, policy)) if isinstance(policy, dict) else type(policy).__name__
    raise CallFailed(
        standard("configuration", f"`authentication` must be basic or bearer; found {found or 'nothing'}.")
    )


def authorize(secrets: Secrets, authorization: Authorization) -> Json:
    """``$authorization`` (DSL, "Authorization Descriptor"); see `expressions.contract.Authorize`."""
    try:
        header = credentials(authorization.policy, authorization.secrets, secrets).authorization
    except CallFailed as failure:
        raise AskFailed(failure.error) from None
    scheme, _, parameter = (header or "").partition(" ")
    return {"scheme": scheme, "parameter": parameter} if header else None


def _basic(username: str, password: str) -> Credentials:
    parameter = base64.b64encode(f"{username}:{password}".encode()).decode()
    return Credentials(f"Basic {parameter}", (parameter, password))


def _values(
    policy: dict[str, Json], names: tuple[str, ...], listed: frozenset[str], secrets: Secrets
) -> dict[str, str]:
    """The named members of the policy, or of the secret that it uses."""
    source, place = policy, "The authentication"
    if "use" in policy:
        secret = _secret(policy["use"], listed, secrets)
        place = f"The secret {policy['use']!r}"
        source = secret if isinstance(secret, dict) else {names[0]: secret} if len(names) == 1 else {}
    values = {name: source.get(name) for name in names}
    missing = [name for name, value in values.items() if not isinstance(value, str)]
    if missing:
        raise _unauthenticated(f"{place} has no text for {' and '.join(missing)}.")
    return values  # type: ignore[return-value]


def _secret(name: Json, listed: frozenset[str], secrets: Secrets) -> Json:
    if name not in listed:
        detail = f"The authentication uses the secret {name!r}, which use.secrets does not list."
        raise CallFailed(standard("authorization", detail))
    try:
        return secrets.get(name)
    except SecretMissing as error:
        raise CallFailed(standard("authorization", str(error))) from None


def _unauthenticated(detail: str) -> CallFailed:
    return CallFailed(standard("authentication", detail))


def _without(value: Json, proofs: list[str]) -> Json:
    if isinstance(value, str):
        for proof in proofs:
            value = value.replace(proof, REDACTED)
        return value
    if isinstance(value, list):
        return [_without(item, proofs) for item in value]
    if isinstance(value, dict):
        return {_without(name, proofs): _without(item, proofs) for name, item in value.items()}
    return value
