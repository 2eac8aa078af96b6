"""What a token endpoint answers (RFC 6749, section 5): a token, or why there is none."""

import base64
import binascii
from dataclasses import dataclass

from perdure.activities.authentication.policies import unauthenticated
from perdure.activities.contract import CallFailed
from perdure.activities.http_request import Request
from perdure.activities.http_response import Response, failure_of, printable
from perdure.codec import Json, decode
from perdure.engine.errors import standard

SECONDS_UNKNOWN = 300.0
"""How long a token is kept that does not say when it ends. One that is refused before is renewed."""

SECONDS_MAX = 24 * 3600.0
MARGIN_SECONDS = 30.0
MARGIN_SHARE = 0.2
"""A token is renewed that long before its end, or at that share of its life where that is shorter."""

_AUTHENTICATION = frozenset({"invalid_client", "invalid_grant"})
_AUTHORIZATION = frozenset({"access_denied", "unauthorized_client", "insufficient_scope"})
_CONFIGURATION = frozenset({"invalid_request", "invalid_scope", "invalid_target", "unsupported_grant_type"})

_DESCRIPTION_CHARACTERS_MAX = 300


@dataclass(frozen=True, slots=True)
class Token:
    """`seconds` is how long it may be used. `issuer` is None where no JWT says it."""

    access: str
    refresh: str | None
    seconds: float
    issuer: str | None
    is_jwt: bool


def token_of(request: Request, response: Response) -> Token:
    """The token that was issued. Raises `CallFailed`."""
    answer = _decoded(response)
    if not 200 <= response.status < 300 or "error" in answer:
        raise _refused(request, response, answer)
    access = answer.get("access_token")
    if not isinstance(access, str) or not access:
        detail = f"{request.url} answered {response.status} without an access_token."
        raise CallFailed(standard("communication", detail))
    kind = answer.get("token_type") or "Bearer"
    if str(kind).lower() not in ("bearer", "n_a"):
        detail = f"{request.url} issues tokens of the type {str(kind)[:40]!r}; only Bearer can be used."
        raise CallFailed(standard("configuration", detail))
    refresh = answer.get("refresh_token")
    claims = claims_of(access)
    spoken = claims if claims is not None else claims_of(answer.get("id_token"))
    return Token(
        access,
        refresh if isinstance(refresh, str) and refresh else None,
        _usable_seconds(answer.get("expires_in")),
        _text((spoken or {}).get("iss")),
        spoken is not None,
    )


def claims_of(token: Json) -> dict[str, Json] | None:
    """The claims of a JWT, None for what is none. The signature is the resource server's to check."""
    parts = token.split(".") if isinstance(token, str) else []
    if len(parts) != 3:
        return None
    try:
        header, claims = (decode(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in parts[:2])
    except (ValueError, binascii.Error):
        return None
    return claims if isinstance(header, dict) and isinstance(claims, dict) else None


def _usable_seconds(expires_in: Json) -> float:
    try:
        seconds = SECONDS_UNKNOWN if expires_in is None else min(float(expires_in), SECONDS_MAX)
    except (TypeError, ValueError):
        seconds = SECONDS_UNKNOWN
    return seconds - min(MARGIN_SECONDS, seconds * MARGIN_SHARE)


def _refused(request: Request, response: Response, answer: dict[str, Json]) -> CallFailed:
    """The error for a refusal: by its code where it has one that is known, else by its status."""
    code = _text(answer.get("error"))
    description = _text(answer.get("error_description"))
    words = f"{request.url} issued no token: {printable(code or 'no reason given', 60)}"
    if description:
        words = f"{words} ({printable(description, _DESCRIPTION_CHARACTERS_MAX)})"
    if code in _AUTHENTICATION:
        return unauthenticated(f"{words}.")
    if code in _AUTHORIZATION:
        return CallFailed(standard("authorization", f"{words}."))
    if code in _CONFIGURATION:
        return CallFailed(standard("configuration", f"{words}."))
    if response.status == 401:
        return unauthenticated(f"{words if code else f'{request.url} refused the client with 401'}.")
    if response.status < 300:
        return CallFailed(standard("communication", f"{words}."))
    return failure_of(request, response)


def _decoded(response: Response) -> dict[str, Json]:
    try:
        answer = decode(response.body)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None
