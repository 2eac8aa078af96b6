"""Facts as they lie in the inbox."""

import msgspec

from perdure.engine.facts import AnyFact

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[AnyFact] = msgspec.json.Decoder(AnyFact)


class FactNewer(Exception):
    """The fact was recorded by a later release: this one does not know it, or something in it."""


def encode_fact(fact: AnyFact) -> bytes:
    return _encoder.encode(fact)


def decode_fact(data: bytes) -> AnyFact:
    """Raises `FactNewer`, and `msgspec.DecodeError` for one that is damaged."""
    try:
        return _decoder.decode(data)
    except msgspec.ValidationError as error:
        raise FactNewer(f"the fact is not known to this release: {error}") from None
