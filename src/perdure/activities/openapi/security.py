"""Where the document wants to see the proof of who calls, of all that the call's ``authentication`` can show.

An API key is the token of a bearer policy, or the password of a basic one. A key that goes into ``Authorization``,
and every other scheme, is what the policy sends to any service.
"""

from collections.abc import Sequence

from perdure.activities.http_request import KeyPlace
from perdure.activities.openapi.model import Requirement, Scheme
from perdure.codec import Json

_SHOWS = {
    "apiKey": frozenset({"bearer", "basic"}),
    "basic": frozenset({"basic"}),
    "bearer": frozenset({"bearer", "oauth2", "oidc"}),
    "digest": frozenset({"digest"}),
    "mutualTLS": frozenset({"certificate"}),
    "oauth2": frozenset({"oauth2", "oidc", "bearer"}),
    "openIdConnect": frozenset({"oidc", "oauth2", "bearer"}),
}
"""Which policies satisfy which schemes."""


def place_of_key(security: Sequence[Requirement], policy: Json) -> KeyPlace | None:
    """Where the policy's key goes, None where the policy is used as for any service.

    The first alternative counts that the policy satisfies wholly, else the first that it satisfies in part; a
    document that asks for something else does not keep the policy from being used.
    """
    if not isinstance(policy, dict):
        return None
    satisfied = [[scheme for scheme in requirement if _shows(policy, scheme)] for requirement in security]
    whole = [found for found, requirement in zip(satisfied, security, strict=True) if len(found) == len(requirement)]
    for schemes in (*filter(None, whole), *filter(None, satisfied)):
        scheme = schemes[0]
        if scheme.kind == "apiKey" and scheme.name.lower() != "authorization":
            return KeyPlace(scheme.place, scheme.name)
        return None
    return None


def _shows(policy: dict[str, Json], scheme: Scheme) -> bool:
    return bool(_SHOWS.get(scheme.kind, frozenset()) & policy.keys())
