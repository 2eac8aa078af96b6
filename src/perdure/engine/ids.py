"""Natural ids: derived from what a thing is, so that doing it again names the same thing.

An activity's id hashes the id of the enclosing activity (or process), its reference, the loop index and
the round of the flow; by induction that is process, reference, iteration path and visit. Never the attempt.
"""

from base64 import urlsafe_b64encode
from datetime import datetime
from hashlib import blake2b
from uuid import UUID, SafeUUID

_MASK = ~(0xF << 76 | 0x3 << 62)
_VERSION_8 = 0x8 << 76 | 0x2 << 62
_VERSION_7 = 0x7 << 76 | 0x2 << 62

_new = object.__new__
_set_int = UUID.int.__set__  # type: ignore[attr-defined, misc]
_set_safe = UUID.is_safe.__set__  # type: ignore[attr-defined, misc]
_UNKNOWN = SafeUUID.unknown


def _uuid(value: int) -> UUID:
    """A UUID without the constructor's checks, which cost more than the hash."""
    uuid = _new(UUID)
    _set_int(uuid, value)
    _set_safe(uuid, _UNKNOWN)
    return uuid


def activity_id(parent: UUID, reference: str, index: int, visit: int) -> UUID:
    """The id of the activity of the task `reference` within `parent` (UUIDv8, RFC 9562 section 5.8)."""
    name = b"%b%b\0%d.%d" % (parent.int.to_bytes(16, "big"), reference.encode(), index, visit)
    digest = int.from_bytes(blake2b(name, digest_size=16, person=b"perdure-activity").digest(), "big")
    return _uuid(digest & _MASK | _VERSION_8)


def timer_id(owner: UUID, purpose: str, attempt: int, number: int) -> UUID:
    """The id of the `number`-th timer that an attempt of `owner` sets."""
    name = b"%b%b\0%d.%d" % (owner.bytes, purpose.encode(), attempt, number)
    digest = int.from_bytes(blake2b(name, digest_size=16, person=b"perdure-timer").digest(), "big")
    return _uuid(digest & _MASK | _VERSION_8)


def child_id(activity: UUID, attempt: int, now: datetime) -> UUID:
    """The id of the process that an attempt of an activity starts, time-ordered as process ids are (UUIDv7)."""
    name = b"%b%d" % (activity.bytes, attempt)
    digest = int.from_bytes(blake2b(name, digest_size=16, person=b"perdure-child").digest(), "big")
    milliseconds = int(now.timestamp() * 1000) & 0xFFFF_FFFF_FFFF
    return _uuid((digest & (1 << 80) - 1 | milliseconds << 80) & _MASK | _VERSION_7)


def item_child_id(activity: UUID, attempt: int, index: int, now: datetime) -> UUID:
    """The id of the process for the `index`-th item of an attempt of an activity (UUIDv7)."""
    return child_id(timer_id(activity, "item", attempt, index), attempt, now)


def schedule_id(tenant: str, namespace: str, name: str, kind: str) -> UUID:
    """The id of the schedule of a kind that the versions of a definition have, one after another (UUIDv8)."""
    text = "\0".join((tenant, namespace, name, kind))
    digest = int.from_bytes(blake2b(text.encode(), digest_size=16, person=b"perdure-schedule").digest(), "big")
    return _uuid(digest & _MASK | _VERSION_8)


def callback_token(seed: bytes, activity: UUID) -> str:
    """The unguessable token by which a callback names its activity."""
    digest = blake2b(activity.bytes, key=seed, digest_size=32, person=b"perdure-callback").digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def request_digest(seed: bytes, request: bytes) -> str:
    """Tells whether two requests of a process were the same. Keyed, so that nobody learns a request by guessing it."""
    return blake2b(request, key=seed, digest_size=16, person=b"perdure-request").hexdigest()


def fraction(activity: UUID, attempt: int) -> float:
    """A number in [0, 1) that looks random but is always the same for an attempt of an activity."""
    digest = blake2b(activity.bytes + attempt.to_bytes(8, "big"), digest_size=8, person=b"perdure-jitter").digest()
    return int.from_bytes(digest, "big") / (1 << 64)
