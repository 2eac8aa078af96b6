"""Credentials of one outgoing call: what proves who calls, and how to keep it out of everything else."""

import ssl
from dataclasses import dataclass, replace
from typing import Protocol

from perdure.activities.contract import CallFailed
from perdure.codec import Json
from perdure.engine.errors import Error
from perdure.secrets import REDACTED, Secrets, spellings

REDACTED_CHARACTERS_MIN = 8
"""Credentials shorter than this are too likely to occur in ordinary data by chance."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that was answered with 401, as far as an answer to that depends on it.

    `target` is the path and query as sent, `challenges` are the values of ``WWW-Authenticate``.
    """

    method: str
    target: str
    body: bytes
    challenges: tuple[str, ...]


class Responder(Protocol):
    """Knows what to say to a service that refused a request."""

    async def answer(self, refusal: Refusal) -> "Credentials | None":
        """Credentials to try the request with once more, None where there are no better ones.

        Raises `CallFailed`, without any secret in it.
        """


@dataclass(frozen=True, slots=True)
class Credentials:
    """The value of the Authorization header, if any, and the texts that prove who calls.

    `responder` is who to ask after a 401, `tls` the context with the client's certificate. Where these prove one
    request only, the next one to the same origin begins with `again`. `key` is the bare token or password, for
    services that want it elsewhere.
    """

    authorization: str | None = None
    proofs: tuple[str, ...] = ()
    responder: Responder | None = None
    tls: ssl.SSLContext | None = None
    again: "Credentials | None" = None
    key: str | None = None

    @property
    def authenticate(self) -> bool:
        """Whether there is anything that proves who calls."""
        proofs = (self.authorization, self.responder, self.tls, self.key)
        return any(proof is not None for proof in proofs)

    def renewed(self, by: "Credentials") -> "Credentials":
        """Those that replace these, with both kept out of what is shown."""
        return replace(by, proofs=(*self.proofs, *by.proofs), tls=by.tls or self.tls)

    async def instead(self) -> "Credentials | None":
        """Others, once these were refused over a protocol that says no more about it; None where there are none.

        Raises `CallFailed`, without any secret in it.
        """
        if self.responder is None:
            return None
        found = await self.responder.answer(Refusal("", "", b"", ()))
        return None if found is None else self.renewed(found)

    def withheld(self) -> "Credentials":
        """For another origin: nothing is sent, yet what an earlier one learnt is kept out of what is shown."""
        return Credentials(proofs=self.proofs)

    def redact(self, value: Json) -> Json:
        """The value without these credentials, which a careless service may echo."""
        proofs = {
            spelling for proof in self.proofs if len(proof) >= REDACTED_CHARACTERS_MIN for spelling in spellings(proof)
        }
        return _without(value, sorted(proofs, key=len, reverse=True)) if proofs else value

    def redact_error(self, error: Error) -> Error:
        """The error without these credentials in its words."""
        return Error(error.type, error.status, error.title, self.redact(error.detail), error.instance)


def redacted(error: Error, secrets: Secrets, credentials: Credentials | None = None) -> CallFailed:
    """The failure without secrets: those of the call, and all that are known."""
    if credentials is not None:
        error = credentials.redact_error(error)
    return CallFailed(Error(error.type, error.status, error.title, secrets.redact_text(error.detail or "")))


def _without(value: Json, proofs: list[str]) -> Json:
    if isinstance(value, str):
        for proof in proofs:
            value = value.replace(proof, REDACTED)
        return value
    if isinstance(value, list):
        return [_without(item, proofs) for item in value]
    if isinstance(value, dict):
        return {_without(name, proofs): _without(item, proofs) for name, item in value.items()}
    return value
