"""What an attempt to deliver an event comes to: done, again later, or given up. Pure."""

from collections.abc import Mapping
from datetime import datetime

from perdure.store.lifecycle import Attempt

ATTEMPTS_MAX = 14
FACTOR = 3.0
DELAY_MAX_FACTOR = 2_880.0
"""In units of the first delay: with 5 s, pauses grow to 4 hours, and 14 attempts take about a day."""
REASON_CHARACTERS_MAX = 500
_GONE = 410


def delay_seconds(attempts: int, first_seconds: float) -> float:
    """The pause after the `attempts`-th failure."""
    return first_seconds * min(FACTOR ** (attempts - 1), DELAY_MAX_FACTOR)


def answered(
    status: int,
    headers: Mapping[str, str],
    attempts: int,
    failing_since: datetime | None,
    now: datetime,
    *,
    first_seconds: float,
    disable_seconds: float,
) -> Attempt:
    """The receiver has answered: 2xx took it, 410 wants no more ever, anything else is a failure."""
    if 200 <= status < 300:
        return Attempt("delivered", status, None)
    if status == _GONE:
        return Attempt("failed", status, "the receiver answered 410 Gone", disable="the receiver answered 410 Gone")
    wait = _retry_after(headers)
    found = failed(
        f"the receiver answered {status}; expected 2xx",
        attempts,
        failing_since,
        now,
        first_seconds=first_seconds,
        disable_seconds=disable_seconds,
    )
    asked = min(wait, first_seconds * DELAY_MAX_FACTOR)
    return Attempt(found.status, status, found.error, max(found.delay_seconds, asked), found.disable)


def failed(
    reason: str,
    attempts: int,
    failing_since: datetime | None,
    now: datetime,
    *,
    first_seconds: float,
    disable_seconds: float,
) -> Attempt:
    """No answer that counts. A webhook that has failed for longer than `disable_seconds` is disabled."""
    reason = reason[:REASON_CHARACTERS_MAX]
    disable = None
    if failing_since is not None and (now - failing_since).total_seconds() >= disable_seconds:
        since = failing_since.isoformat(timespec="seconds").replace("+00:00", "Z")
        disable = f"nothing could be delivered since {since}; at last {reason}"
    if attempts >= ATTEMPTS_MAX:
        return Attempt("failed", None, reason, disable=disable)
    return Attempt("pending", None, reason, delay_seconds(attempts, first_seconds), disable)


def _retry_after(headers: Mapping[str, str]) -> float:
    """Seconds that the receiver asks for (RFC 9110, section 10.2.3), where it says so in seconds."""
    text = headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() and len(text) < 8 else 0.0
