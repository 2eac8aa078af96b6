"""Secrets that the platform has to keep: sealed with the operator's key (AES-256-GCM), where there is one.

A sealed value begins with a byte 1, its nonce and its ciphertext; one kept as it is with a byte 0. What it belongs
to is authenticated with it, so that it can't be moved to another row.
"""

import base64
import binascii

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from perdure import clock

KEY_BYTES = 32
_NONCE_BYTES = 12
_PLAIN, _SEALED = b"\0", b"\1"


class SealBroken(Exception):
    """A sealed value can't be opened; the message says what to do."""


class Sealer:
    """`key` is base64 of 32 bytes; None keeps values as they are. Raises `ValueError` where it is neither."""

    def __init__(self, key: str | None) -> None:
        self._cipher = AESGCM(_key(key)) if key else None

    def seal(self, value: bytes, owner: bytes) -> bytes:
        if self._cipher is None:
            return _PLAIN + value
        nonce = clock.random_bytes(_NONCE_BYTES)
        return _SEALED + nonce + self._cipher.encrypt(nonce, value, owner)

    def open(self, sealed: bytes, owner: bytes) -> bytes:
        """Raises `SealBroken`."""
        if sealed[:1] == _PLAIN:
            return sealed[1:]
        if self._cipher is None:
            raise SealBroken("it is sealed: set PERDURE_ENCRYPTION_KEY to the key that it was sealed with")
        nonce, text = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, text, owner)
        except InvalidTag:
            raise SealBroken("it was sealed with another key than PERDURE_ENCRYPTION_KEY") from None


def _key(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError(
            f"PERDURE_ENCRYPTION_KEY: expected base64 of {KEY_BYTES} bytes, such as `openssl rand -base64 32` makes"
        )
    return key
