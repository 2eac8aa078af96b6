"""Signatures of webhooks, as Standard Webhooks has them: HMAC-SHA256 over id, timestamp and body."""

import base64
import binascii
import hmac
from datetime import datetime

PREFIX = "whsec_"
BYTES_MIN, BYTES_MAX = 16, 64


def secret_bytes(text: str) -> bytes:
    """The key that a secret means: after ``whsec_`` base64, any other text as it is. Raises `ValueError`."""
    if text.startswith(PREFIX):
        try:
            key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
        except (binascii.Error, ValueError):
            raise ValueError(f"expected base64 after {PREFIX}") from None
    else:
        key = text.encode()
    if not BYTES_MIN <= len(key) <= BYTES_MAX:
        raise ValueError(f"expected a secret of {BYTES_MIN} to {BYTES_MAX} bytes, found {len(key)}")
    return key


def new_secret(random: bytes) -> str:
    return PREFIX + base64.b64encode(random).decode()


def headers(secret: str, id_: str, now: datetime, body: bytes) -> dict[str, str]:
    """What the receiver checks: ``webhook-id``, ``webhook-timestamp`` (seconds since 1970), ``webhook-signature``."""
    timestamp = str(int(now.timestamp()))
    signed = b".".join((id_.encode(), timestamp.encode(), body))
    digest = hmac.digest(secret_bytes(secret), signed, "sha256")
    signature = "v1," + base64.b64encode(digest).decode()
    return {"webhook-id": id_, "webhook-timestamp": timestamp, "webhook-signature": signature}
