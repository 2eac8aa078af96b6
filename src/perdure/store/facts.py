"""Facts as they lie in the inbox."""

import msgspec

from perdure.engine.facts import AnyFact

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[AnyFact] = msgspec.json.Decoder(AnyFact)


class FactUnreadable(Exception):
    """The fact was recorded by a later release, or is damaged."""


def encode_fact(fact: AnyFact) -> bytes:
    return _encoder.encode(fact)


def decode_fact(data: bytes) -> AnyFact:
    """Raises `FactUnreadable`."""
    try:
        return _decoder.decode(data)
    except msgspec.DecodeError as error:
        raise FactUnreadable(f"the fact can't be read: {error}") from None
