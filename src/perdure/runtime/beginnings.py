"""What a new process is told of its input: the fact that it begins with."""

from perdure.codec import Json
from perdure.engine.facts import ProcessStarted
from perdure.engine.payloads import Unkeepable, check_depth
from perdure.engine.refs import content_key
from perdure.store.facts import encode_fact

INPUT_BYTES_MAX = 16 * 1024
"""A longer input is not written a second time into the fact, which then names the payload. A shorter one is, as it
would cost the first step a look at the database of its own."""


def beginning(input_: Json, payload: bytes | None, actor: str, payload_bytes_max: int) -> bytes:
    """The encoded fact. `payload` is the input as it is stored apart, if it is. One that can't be kept is in the fact
    all the same: the process faults by it.
    """
    if payload is None or len(payload) <= INPUT_BYTES_MAX or not _can_be_kept(payload, payload_bytes_max):
        return encode_fact(ProcessStarted(input_, actor))
    return encode_fact(ProcessStarted(None, actor, content_key(payload)))


def _can_be_kept(payload: bytes, bytes_max: int) -> bool:
    try:
        check_depth(payload)
    except Unkeepable:
        return False
    return len(payload) <= bytes_max
