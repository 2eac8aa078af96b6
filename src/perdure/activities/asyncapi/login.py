"""What proves to a broker who calls, from the authentication policy or from the server's address."""

import base64

from perdure.activities.asyncapi.model import Login, Target
from perdure.activities.credentials import Credentials
from perdure.activities.http_request import misconfigured


def login_of(credentials: Credentials, target: Target) -> Login:
    """A name and password for `basic`, a token for whatever yields one.

    Over http the requests bear the credentials by themselves. Raises `CallFailed` (configuration) for those that the
    protocol has no place for.
    """
    if target.protocol == "http" or not credentials.authenticate:
        return Login()
    if credentials.tls is not None and not target.tls:
        raise misconfigured(f"A client certificate needs TLS, which the server at {target.protocol}:// has not.")
    if credentials.tls is None and credentials.key is None:
        raise misconfigured(f"Digest authentication is for http; the server's protocol is {target.protocol}.")
    scheme, _, parameter = (credentials.authorization or "").partition(" ")
    if scheme == "Basic":
        username, _, password = base64.b64decode(parameter).decode().partition(":")
        return Login(username, password)
    return Login(token=credentials.key)
