"""Client certificates for TLS. The reference names ``certificate`` and leaves its form open; ours is

    certificate: {use: SECRET}

with a secret that holds both as PEM text, or as an object: ``certificate`` (with its chain), ``key``, and
``password`` where the key has one.
"""

import os
import ssl
import tempfile
from collections.abc import Mapping
from pathlib import Path

import msgspec

from perdure.activities.authentication.policies import properties
from perdure.activities.contract import CallFailed
from perdure.activities.credentials import Credentials
from perdure.codec import Json
from perdure.engine.errors import standard
from perdure.secrets import Secrets


class Identity(msgspec.Struct, frozen=True):
    """PEM texts. `certificate` may hold the key as well."""

    certificate: str
    key: str = ""
    password: str = ""


def identity_of(policy: Mapping[str, Json], listed: frozenset[str], secrets: Secrets) -> Identity:
    """Raises `CallFailed` (authorization, configuration)."""
    source, place = properties(policy, listed, secrets, single="certificate")
    try:
        return msgspec.convert(source, Identity)
    except msgspec.ValidationError as error:
        detail = f"{place} can't be used for certificate authentication: {error}."
        raise CallFailed(standard("configuration", detail)) from None


def certificate(identity: Identity) -> Credentials:
    """Credentials whose TLS context shows the certificate. Raises `CallFailed` (configuration)."""
    context = ssl.create_default_context()
    try:
        with _Readable(f"{identity.certificate}\n{identity.key}\n") as path:
            context.load_cert_chain(path, password=lambda: identity.password)
    except (OSError, ValueError):  # SSLError is an OSError; its words may quote what was read
        detail = "expected a PEM certificate and its private key, and the key's password where it has one"
        raise CallFailed(standard("configuration", f"The client certificate can't be used: {detail}.")) from None
    return Credentials(proofs=tuple(filter(None, (identity.key, identity.password))), tls=context)


class _Readable:
    """A path to read a text from once, as OpenSSL wants one: in memory where the system can do that."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __enter__(self) -> str:
        if hasattr(os, "memfd_create"):
            self._file = os.memfd_create("identity")
            path = f"/proc/self/fd/{self._file}"
        else:
            self._file, path = tempfile.mkstemp()
        self._path = Path(path)
        os.write(self._file, self._text.encode())
        return path

    def __exit__(self, *_: object) -> None:
        os.close(self._file)
        if not str(self._path).startswith("/proc/"):
            self._path.unlink(missing_ok=True)
