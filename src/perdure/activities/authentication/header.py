"""Schemes whose proof is the same for every request: basic (RFC 7617) and bearer (RFC 6750)."""

import base64

from perdure.activities.authentication.policies import unauthenticated
from perdure.activities.credentials import Credentials


def basic(username: str, password: str) -> Credentials:
    parameter = base64.b64encode(f"{username}:{password}".encode()).decode()
    return Credentials(f"Basic {parameter}", (parameter, password), key=password)


def bearer(token: str) -> Credentials:
    """Raises `CallFailed` (authentication) for a token that a header can't carry."""
    if not token or not token.isascii() or not token.isprintable():
        raise unauthenticated("The bearer token has characters that a header can't carry.")
    return Credentials(f"Bearer {token}", (token,), key=token)
