"""Checks of authentication policies (DSL reference, "Authentication")."""

from collections.abc import Mapping

from perdure.codec import Json
from perdure.definition.checks.report import Check, Report, quoted, suggestion
from perdure.definition.checks.shapes import array, exactly_one, members, object_, string, word
from perdure.definition.checks.text import secret_text, text
from perdure.definition.checks.uris import uri
from perdure.definition.pointers import child

SUPPORTED = frozenset({"basic", "bearer"})
"""The schemes that calls can use."""

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
        optional={"encoding": word("application/x-www-form-urlencoded", "application/json")}, open_=True
    ),
    "issuers": array(text),
    "scopes": array(text),
    "audiences": array(text),
    "username": text,
    "password": secret_text,
    "subject": _token,
    "actor": _token,
}

_endpoints = members(optional={"token": text, "revocation": text, "introspection": text}, open_=True)


def _secret_name(value: Json, pointer: str, report: Report) -> None:
    string(value, pointer, report)
    if isinstance(value, str) and value not in report.uses.secrets and not report.published:
        report.problem(
            pointer,
            f"expected a secret that use.secrets lists, found {quoted(value)}"
            f"{suggestion(value, report.uses.secrets) or '; list it there'}",
        )


def _scheme(inline: Check) -> Check:
    """A scheme's own properties, or the name of a secret that holds them."""
    by_secret = members({"use": _secret_name})

    def check(value: Json, pointer: str, report: Report) -> None:
        (by_secret if isinstance(value, dict) and "use" in value else inline)(value, pointer, report)

    return check


_SCHEMES: Mapping[str, Check] = {
    "basic": _scheme(members({"username": text, "password": secret_text})),
    "bearer": _scheme(members({"token": secret_text})),
    "certificate": object_,
    "digest": _scheme(members({"username": text, "password": secret_text})),
    "oauth2": _scheme(members(optional={**_oauth2_members, "endpoints": _endpoints})),
    "oidc": _scheme(members(optional=_oauth2_members)),
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


def scheme_of(value: Json, report: Report) -> str | None:
    """The scheme of a policy or reference, as far as it is well-formed."""
    name = value.get("use") if isinstance(value, dict) else value
    if isinstance(name, str):
        value = report.uses.authentications.get(name)
    if not isinstance(value, dict):
        return None
    return next((scheme for scheme in _SCHEMES if scheme in value), None)


def require_supported(endpoint: Json, pointer: str, report: Report) -> None:
    """Where an endpoint's authentication can't be used by calls yet, say so."""
    if isinstance(endpoint, dict) and "authentication" in endpoint:
        scheme = scheme_of(endpoint["authentication"], report)
        if scheme is not None and scheme not in SUPPORTED:
            report.unsupported(child(pointer, "authentication"), f"authentication: {scheme}")
