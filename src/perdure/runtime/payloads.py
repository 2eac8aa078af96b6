"""Payload references back to values, for whoever reads records. Secrets don't come out."""

from collections.abc import Iterable, Mapping
from uuid import UUID

import msgspec

from perdure.codec import Json, decode
from perdure.engine.errors import Error
from perdure.engine.refs import Key, Ref, inline_value, key_of
from perdure.runtime.context import Context


class Values:
    """Values by reference, looked up for many records at once."""

    def __init__(self, context: Context, stored: Mapping[tuple[UUID, Key], bytes]) -> None:
        self._secrets = context.secrets
        self._stored = stored

    def of(self, process: UUID, ref: Ref | None) -> Json:
        """None where there is no reference (yet)."""
        return None if ref is None else self._secrets.redact(self.plain(process, ref))

    def error(self, error: Error | None) -> Error | None:
        """As it may be shown: an author may have put a secret into it, or into what it quotes."""
        return None if error is None else msgspec.convert(self._secrets.redact(msgspec.to_builtins(error)), Error)

    def plain(self, process: UUID, ref: Ref) -> Json:
        """As it is, for whoever is to work with it."""
        key = key_of(ref)
        return inline_value(ref) if key is None else decode(self._stored[process, key])


async def resolve(context: Context, refs: Iterable[tuple[UUID, Ref | None]]) -> Values:
    """Fetch what the references name, in one query."""
    keys = {(process, key) for process, ref in refs if ref is not None and (key := key_of(ref)) is not None}
    stored = await context.store.payloads(list(keys)) if keys else {}
    return Values(context, stored)
