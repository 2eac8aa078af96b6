"""Facts as they lie in the inbox."""

import msgspec

from perdure.engine.facts import AnyFact

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[AnyFact] = msgspec.json.Decoder(AnyFact)


def encode_fact(fact: AnyFact) -> bytes:
    return _encoder.encode(fact)


def decode_fact(data: bytes) -> AnyFact:
    return _decoder.decode(data)
