"""What expressions see as ``$authorization`` (DSL, "Authorization Descriptor")."""

from perdure.activities.authentication.header import basic, bearer
from perdure.activities.authentication.policies import texts
from perdure.activities.contract import CallFailed
from perdure.codec import Json
from perdure.engine.asks import AskFailed, Authorization
from perdure.secrets import Secrets


def authorize(secrets: Secrets, authorization: Authorization) -> Json:
    """See `expressions.contract.Authorize`. Null where the credentials are only made when the call is performed."""
    listed = authorization.secrets
    try:
        match authorization.policy:
            case {"basic": dict(given)}:
                header = basic(*texts("basic", given, ("username", "password"), listed, secrets)).authorization
            case {"bearer": dict(given)}:
                header = bearer(*texts("bearer", given, ("token",), listed, secrets)).authorization
            case _:
                return None
    except CallFailed as failure:
        raise AskFailed(failure.error) from None
    scheme, _, parameter = (header or "").partition(" ")
    return {"scheme": scheme, "parameter": parameter}
