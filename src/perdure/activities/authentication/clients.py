"""How an OAuth2 client proves itself to the token endpoint (RFC 6749 section 2.3, RFC 7521, RFC 7523)."""

import base64
import re
import warnings
from typing import Any
from urllib.parse import quote_plus

from joserfc import jwk, jwt
from joserfc.errors import JoseError

from perdure import clock
from perdure.activities.authentication.oauth2 import Client, Parameters
from perdure.activities.contract import CallFailed
from perdure.codec import decode
from perdure.engine.errors import standard

ASSERTION_SECONDS = 60

_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_JWT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_CURVES = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512", "secp256k1": "ES256K"}

_Key = jwk.RSAKey | jwk.ECKey | jwk.OKPKey


def proof_of(client: Client, audience: str) -> tuple[Parameters, dict[str, str]]:
    """The parameters and headers that prove the client. `audience` is the URI of the endpoint.

    Raises `CallFailed` (configuration) for a key that can't sign.
    """
    identifier = [("client_id", client.id)] if client.id else []
    secret = client.secret or ""
    match client.authentication:
        case "client_secret_basic":
            pair = f"{quote_plus(client.id or '')}:{quote_plus(secret)}"
            return [], {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
        case "client_secret_post":
            return [*identifier, ("client_secret", secret)], {}
        case "client_secret_jwt" | "private_key_jwt":
            assertion = [("client_assertion_type", _ASSERTION_TYPE), ("client_assertion", _assertion(client, audience))]
            return [*identifier, *assertion], {}
        case _:
            return identifier, {}


def _assertion(client: Client, audience: str) -> str:
    given = (client.assertion or "").strip()
    if _JWT.fullmatch(given):
        return given
    now = int(clock.now().timestamp())
    claims: dict[str, Any] = {
        "iss": client.id,
        "sub": client.id,
        "aud": audience,
        "jti": str(clock.uuid7()),
        "iat": now,
        "exp": now + ASSERTION_SECONDS,
    }
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of short secrets and the name EdDSA, which are the service's choice
            if client.authentication == "client_secret_jwt":
                return jwt.encode({"alg": "HS256"}, claims, jwk.OctKey.import_key(client.secret or ""))
            key, header = _signer(given)
            return jwt.encode(header, claims, key, algorithms=[header["alg"]])
    except (JoseError, ValueError, TypeError):  # their words may quote the key
        detail = "expected client.assertion to be a signed JWT, or a private key as PEM or JWK that can sign one"
        raise CallFailed(standard("configuration", f"The client can't be authenticated: {detail}.")) from None


def _signer(text: str) -> tuple[_Key, dict[str, str]]:
    """The key and the header of what it signs. Raises `ValueError` or `JoseError`."""
    key = jwk.import_key(decode(text)) if text.startswith("{") else _pem(text)
    if isinstance(key, jwk.OctKey) or not key.is_private:
        raise ValueError("no private key")
    header = {"alg": key.alg or _algorithm(key)}
    if key.kid:
        header["kid"] = key.kid
    return key, header


def _pem(text: str) -> _Key:
    kinds: tuple[type[_Key], ...] = (jwk.RSAKey, jwk.ECKey, jwk.OKPKey)
    for kind in kinds:
        try:
            return kind.import_key(text)
        except (JoseError, ValueError, TypeError):
            continue
    raise ValueError("no key")


def _algorithm(key: _Key) -> str:
    if isinstance(key, jwk.RSAKey):
        return "RS256"
    if isinstance(key, jwk.ECKey):
        return _CURVES[key.curve_name]
    return "EdDSA"
