"""OAuth2 and OpenID Connect policies (DSL reference, "OAUTH2 Authentication", "OpenIdConnect Authentication").

Grants: client_credentials, password, refresh_token (RFC 6749), token exchange (RFC 8693), and authorization_code
(RFC 6749, RFC 7636) with a code that somebody's browser has got before. The reference has no place of its own for
a refresh token and a code: both are ``subject.token``.
"""

from collections.abc import Iterator
from typing import Literal

import msgspec

from perdure.activities.contract import CallFailed
from perdure.engine.errors import standard

JSON = "application/json"

_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:"
_TOKEN_TYPES = frozenset({"access_token", "refresh_token", "id_token", "saml1", "saml2", "jwt"})


class Client(msgspec.Struct, frozen=True):
    id: str | None = None
    secret: str | None = None
    assertion: str | None = None
    """A signed JWT that is sent as it is, or a private key (PEM or JWK) that signs one for each request."""
    authentication: Literal[
        "client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"
    ] = "client_secret_post"


class TokenRequest(msgspec.Struct, frozen=True, rename="camel"):
    """The two last belong to authorization_code: what the request for the code said."""

    encoding: Literal["application/x-www-form-urlencoded", "application/json"] = "application/x-www-form-urlencoded"
    redirect_uri: str | None = None
    code_verifier: str | None = None


class SecurityToken(msgspec.Struct, frozen=True):
    token: str
    type: str = "access_token"


class Endpoints(msgspec.Struct, frozen=True):
    """Paths below the authority, or URIs. Revocation and introspection are used where they are written."""

    token: str = "/oauth2/token"
    revocation: str | None = None
    introspection: str | None = None


class Policy(msgspec.Struct, frozen=True):
    authority: str
    grant: Literal[
        "authorization_code",
        "client_credentials",
        "password",
        "refresh_token",
        "urn:ietf:params:oauth:grant-type:token-exchange",
    ]
    client: Client = Client()
    request: TokenRequest = TokenRequest()
    endpoints: Endpoints = Endpoints()
    issuers: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()
    username: str | None = None
    password: str | None = None
    subject: SecurityToken | None = None
    actor: SecurityToken | None = None

    def require_complete(self) -> None:
        """Raises `CallFailed` (configuration) that names what the grant or the client lacks."""
        missing = [name for name, value in self._needed() if not value]
        if missing:
            way = f"the grant {self.grant} with the client authentication {self.client.authentication}"
            detail = f"The authentication has no {' and no '.join(missing)}, which {way} needs."
            raise CallFailed(standard("configuration", detail))

    def proofs(self) -> tuple[str, ...]:
        """Every text in the policy that must not be shown."""
        client, subject, actor = self.client, self.subject, self.actor
        found = (client.secret, client.assertion, self.password, self.request.code_verifier)
        tokens = (subject and subject.token, actor and actor.token)
        return tuple(text for text in (*found, *tokens) if text)

    def _needed(self) -> Iterator[tuple[str, object]]:
        client = self.client
        if client.authentication != "none":
            yield "client.id", client.id
        match client.authentication:
            case "client_secret_jwt":
                yield "client.secret", client.secret or client.assertion
            case "private_key_jwt":
                yield "client.assertion", client.assertion
            case "client_secret_basic" | "client_secret_post":
                yield "client.secret", client.secret
            case _:
                pass
        match self.grant:
            case "password":
                yield "username", self.username
                yield "password", self.password
            case "refresh_token" | "authorization_code":
                yield "subject.token", self.subject and self.subject.token
            case "client_credentials":
                pass
            case _:
                yield "subject.token", self.subject and self.subject.token


Parameters = list[tuple[str, str]]


def grant_of(policy: Policy) -> Parameters:
    """The parameters of a token request for the policy's own grant, without those that prove the client."""
    subject = policy.subject
    parameters: Parameters = [("grant_type", policy.grant)]
    match policy.grant:
        case "password":
            parameters += [("username", policy.username or ""), ("password", policy.password or "")]
        case "refresh_token" if subject is not None:
            return refresh_of(policy, subject.token)
        case "authorization_code" if subject is not None:
            return _code_of(policy, subject.token)
        case "client_credentials":
            pass
        case _:
            parameters += [("requested_token_type", f"{_TOKEN_TYPE}access_token")]
            parameters += _security_token("subject", subject) + _security_token("actor", policy.actor)
    return parameters + _extent(policy)


def refresh_of(policy: Policy, refresh_token: str) -> Parameters:
    """The parameters of a token request by a refresh token."""
    return [("grant_type", "refresh_token"), ("refresh_token", refresh_token), *_extent(policy)]


def _code_of(policy: Policy, code: str) -> Parameters:
    optional = (("redirect_uri", policy.request.redirect_uri), ("code_verifier", policy.request.code_verifier))
    parameters = [("grant_type", "authorization_code"), ("code", code)]
    return parameters + [(name, value) for name, value in optional if value is not None]


def _extent(policy: Policy) -> Parameters:
    scope = [("scope", " ".join(policy.scopes))] if policy.scopes else []
    return scope + [("audience", audience) for audience in policy.audiences]


def _security_token(role: str, token: SecurityToken | None) -> Parameters:
    if token is None:
        return []
    type_ = _TOKEN_TYPE + token.type if token.type in _TOKEN_TYPES else token.type
    return [(f"{role}_token", token.token), (f"{role}_token_type", type_)]
