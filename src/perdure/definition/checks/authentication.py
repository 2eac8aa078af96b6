"""Checks of authentication policies (DSL reference, "Authentication")."""

from collections.abc import Mapping

from perdure.codec import Json
from perdure.definition.checks.report import Check, Report, listed, quoted, suggestion
from perdure.definition.checks.shapes import array, exactly_one, members, string, word
from perdure.definition.checks.text import secret_text, text
from perdure.definition.checks.uris import uri

_GRANTS = (
    "authorization_code",
    "client_credentials",
    "password",
    "refresh_token",
    "urn:ietf:params:oauth:grant-type:token-exchange",
)
_CLIENT_AUTHENTICATIONS = (
    "client_secret_basic",
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
    "none",
)

_token = members({"token": secret_text, "type": text})

_oauth2_members: Mapping[str, Check] = {
    "authority": uri,
    "grant": word(*_GRANTS),
    "client": members(
        optional={
            "id": text,
            "secret": secret_text,
            "assertion": secret_text,
            "authentication": word(*_CLIENT_AUTHENTICATIONS),
        }
    ),
    "request": members(
        optional={
            "encoding": word("application/x-www-form-urlencoded", "application/json"),
            "redirectUri": text,
            "codeVerifier": secret_text,
        },
        open_=True,
    ),
    "issuers": array(text),
    "scopes": array(text),
    "audiences": array(text),
    "username": text,
    "password": secret_text,
    "subject": _token,
    "actor": _token,
}

_certificate = members(optional={"certificate": text, "key": secret_text, "password": secret_text}, open_=True)
"""Our own form: the reference names the scheme and no more."""

_endpoints = members(optional={"token": text, "revocation": text, "introspection": text}, open_=True)


def _secret_name(value: Json, pointer: str, report: Report) -> None:
    string(value, pointer, report)
    if isinstance(value, str) and value not in report.uses.secrets and not report.published:
        report.problem(
            pointer,
            f"expected a secret that use.secrets lists, found {quoted(value)}"
            f"{suggestion(value, report.uses.secrets) or '; list it there'}",
        )


def _needing(inline: Check, *names: str) -> Check:
    """The schema does not ask for these, but without them no call can be authenticated."""

    def check(value: Json, pointer: str, report: Report) -> None:
        inline(value, pointer, report)
        missing = [name for name in names if isinstance(value, dict) and name not in value]
        if missing:
            report.warn(pointer, f"calls will fail without {listed(missing)}")

    return check


def _scheme(inline: Check) -> Check:
    """A scheme's own properties, or the name of a secret that holds them."""
    by_secret = members({"use": _secret_name})

    def check(value: Json, pointer: str, report: Report) -> None:
        (by_secret if isinstance(value, dict) and "use" in value else inline)(value, pointer, report)

    return check


_SCHEMES: Mapping[str, Check] = {
    "basic": _scheme(members({"username": text, "password": secret_text})),
    "bearer": _scheme(members({"token": secret_text})),
    "certificate": _scheme(
        _needing(
            members(optional={"certificate": text, "key": secret_text, "password": secret_text}, open_=True),
            "certificate",
        )
    ),
    "digest": _scheme(members({"username": text, "password": secret_text})),
    "oauth2": _scheme(_needing(members(optional={**_oauth2_members, "endpoints": _endpoints}), "authority", "grant")),
    "oidc": _scheme(_needing(members(optional=_oauth2_members), "authority", "grant")),
}

_declared_members = members(optional=_SCHEMES, open_=True, what="an authentication policy")


def policy(value: Json, pointer: str, report: Report) -> None:
    """A policy under ``use.authentications``."""
    _declared_members(value, pointer, report)
    if isinstance(value, dict):
        exactly_one(value, _SCHEMES, pointer, report)


def _policy_name(value: Json, pointer: str, report: Report) -> None:
    names = report.uses.authentications
    if not isinstance(value, str):
        report.expected("a name under use.authentications", value, pointer)
    elif value not in names:
        hint = suggestion(value, names) or ("" if names else "; there is nothing under use.authentications")
        report.problem(pointer, f"expected a name under use.authentications, found {quoted(value)}{hint}")


_referenceable_members = members(optional={**_SCHEMES, "use": _policy_name}, what="an authentication policy")


def referenceable(value: Json, pointer: str, report: Report) -> None:
    """A policy in place, or the name of one under ``use.authentications``: bare, or as ``{use: name}``."""
    if isinstance(value, str):
        _policy_name(value, pointer, report)
        return
    _referenceable_members(value, pointer, report)
    if isinstance(value, dict):
        exactly_one(value, (*_SCHEMES, "use"), pointer, report)
