"""What an authentication policy says: its own properties, or those of the secret that it uses."""

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from perdure.activities.contract import CallFailed
from perdure.codec import Json
from perdure.engine.errors import standard
from perdure.secrets import SecretMissing, Secrets

_P = TypeVar("_P", bound=msgspec.Struct)


def texts(
    scheme: str, policy: Mapping[str, Json], names: tuple[str, ...], listed: frozenset[str], secrets: Secrets
) -> list[str]:
    """The named properties of a policy that needs all of them; a secret that is no object is the only one.

    `listed` are the secrets that may be used. Raises `CallFailed`: authorization for a secret that is missing or not
    listed, authentication for one that lacks what the scheme needs.
    """
    source, place = properties(policy, listed, secrets, single=names[0])
    values = [value for name in names if isinstance(value := source.get(name), str)]
    if len(values) < len(names):
        missing = [name for name in names if not isinstance(source.get(name), str)]
        raise unauthenticated(f"{place} has no text for {' and '.join(missing)}, which {scheme} authentication needs.")
    return values


def typed(scheme: str, policy: Mapping[str, Json], type_: type[_P], listed: frozenset[str], secrets: Secrets) -> _P:
    """The policy, or its secret, as a structure. Raises `CallFailed` (authorization, configuration)."""
    source, place = properties(policy, listed, secrets)
    try:
        return msgspec.convert(source, type_)
    except msgspec.ValidationError as error:
        detail = f"{place} can't be used for {scheme} authentication: {error}."
        raise CallFailed(standard("configuration", detail)) from None


def properties(
    policy: Mapping[str, Json], listed: frozenset[str], secrets: Secrets, *, single: str | None = None
) -> tuple[Mapping[str, Json], str]:
    """The properties and what to call their place. A secret that is no object is the property `single`."""
    if "use" not in policy:
        return policy, "The authentication"
    name = policy["use"]
    if name not in listed:
        detail = f"The authentication uses the secret {name!r}, which use.secrets does not list."
        raise CallFailed(standard("authorization", detail))
    try:
        secret = secrets.get(name)
    except SecretMissing as error:
        raise CallFailed(standard("authorization", str(error))) from None
    place = f"The secret {name!r}"
    if isinstance(secret, dict):
        return secret, place
    return {} if single is None else {single: secret}, place


def unauthenticated(detail: str) -> CallFailed:
    """There is no proof of who calls, or it was refused."""
    return CallFailed(standard("authentication", detail))
