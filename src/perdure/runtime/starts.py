"""Starting processes: those that are asked for at the same time are accepted together."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from perdure import clock
from perdure.definition.problems import Problem
from perdure.engine.refs import ref_of
from perdure.engine.step import waits_to_begin
from perdure.runtime import definitions, processes
from perdure.runtime.admission import Admission
from perdure.runtime.announce import Announcement, announce
from perdure.runtime.beginnings import beginning
from perdure.runtime.context import Context
from perdure.runtime.errors import Conflict, Invalid, NotFound, Refused
from perdure.runtime.first_steps import FirstSteps
from perdure.runtime.grouping import Group
from perdure.runtime.step import Stepper
from perdure.runtime.views import DefinitionReference, Principal, ProcessView, Started, StartRequest
from perdure.store.digests import document_digest, token_digest
from perdure.store.records import Accepted, NewProcess, Start

IDEMPOTENCY_SECONDS = 24 * 3600
VERSIONS_KNOWN_MAX = 10_000


class Starts:
    """One per service process."""

    def __init__(self, context: Context, admission: Admission, stepper: Stepper) -> None:
        self._context = context
        self._admission = admission
        self._first_steps = FirstSteps(stepper)
        self._accepting = Group(self._accept)
        self._newest = Group(context.store.newest_versions)
        self._known: set[tuple[str, str, str, str]] = set()
        """Versions that are registered, as they stay."""

    async def stop(self) -> None:
        await self._accepting.stop()
        await self._first_steps.stop()

    async def start(
        self, who: Principal, request: StartRequest, *, idempotency_key: str | None, awaited: bool
    ) -> Started:
        """See `runtime.platform.Platform.start`."""
        digest = document_digest(msgspec.to_builtins(request)) if idempotency_key is not None else b""
        if idempotency_key is not None:
            earlier = await self._recall(who, idempotency_key, digest)
            if earlier is not None:
                return Started(False, earlier)
        await self._admission.processes(who.tenant, 1)
        return await self._start(who, request, idempotency_key, digest, awaited=awaited)

    async def start_batch(self, who: Principal, requests: Sequence[StartRequest]) -> list[ProcessView | Exception]:
        """See `runtime.platform.Platform.start_batch`. Plain starts are accepted together."""
        await self._admission.processes(who.tenant, len(requests))
        results: list[ProcessView | Exception | None] = [None] * len(requests)
        plain: list[tuple[int, NewProcess]] = []
        versions: dict[tuple[str, str, str | None], str] = {}
        for index, request in enumerate(requests):
            try:
                if _is_plain(request):
                    asked = (request.namespace, request.name, request.version)
                    if asked not in versions:
                        versions[asked] = await self._version(who.tenant, *asked)
                    plain.append((index, self._new(who, request, versions[asked])))
                else:
                    results[index] = (await self._start(who, request, None, b"")).process
            except Refused as refusal:
                results[index] = refusal
        if plain:
            accepted = await self._accept([Start(new) for _, new in plain])
            for (index, new), one in zip(plain, accepted, strict=True):
                results[index] = self._view(new, requests[index], one)
        return [result for result in results if result is not None]

    async def _start(
        self, who: Principal, request: StartRequest, key: str | None, digest: bytes, *, awaited: bool = False
    ) -> Started:
        version = await self._version(who.tenant, request.namespace, request.name, request.version)
        new = self._new(who, request, version)
        claim = None if key is None else (key, digest)
        if _is_plain(request):
            accepted = await self._accept_plain(Start(new, claim), awaited=awaited)
        else:
            store = self._context.store
            how, id_ = await store.add_process_once(new, idempotency=claim, on_conflict=request.on_conflict)
            accepted = Accepted(how, id_)
            if how == "added":
                await self._announce([new])
        match accepted.how:
            case "mismatch":
                detail = (
                    "Idempotency-Key: this key came within the last 24 hours with another body; "
                    "repeat the same request, or use a new key"
                )
                raise Invalid(detail, (Problem("", detail),))
            case "existing" if request.on_conflict == "reject":
                raise Conflict(f"An unfinished process with the key {request.key!r} exists: {accepted.id}.")
        if key is not None:
            await self._remember(who, key, digest, accepted.id)
        if accepted.created_at is not None:
            return Started(True, self._view(new, request, accepted))
        return Started(accepted.how == "added", await processes.get(self._context, who, accepted.id))

    async def _accept_plain(self, start: Start, *, awaited: bool) -> Accepted:
        if awaited and start.process.start_at is None and self._first_steps.room:
            return await self._first_steps.take(start)
        return await self._accepting.add(start)

    async def _accept(self, starts: Sequence[Start]) -> list[Accepted]:
        """Several in one transaction; each idempotency key once, in the order of their coming."""
        claimed: set[tuple[str, str]] = set()
        first: list[Start] = []
        again: list[Start] = []
        for start in starts:
            key = None if start.claim is None else (start.process.tenant, start.claim[0])
            (again if key in claimed else first).append(start)
            if key is not None:
                claimed.add(key)
        accepted = {
            start.process.id: one
            for start, one in zip(first, await self._context.store.add_processes(first), strict=True)
        }
        await self._announce([start.process for start in first if accepted[start.process.id].how == "added"])
        if again:
            accepted |= zip((start.process.id for start in again), await self._accept(again), strict=True)
        return [accepted[start.process.id] for start in starts]

    async def _announce(self, new: Sequence[NewProcess]) -> None:
        at_once = [process.id for process in new if process.start_at is None]
        await announce(self._context.broker, Announcement(steps=at_once))

    async def _version(self, tenant: str, namespace: str, name: str, version: str | None) -> str:
        """The version that is asked for, or the highest stable one. Raises `NotFound` where it isn't registered."""
        if version is None:
            newest = await self._newest.add((tenant, namespace, name))
            if newest is None:
                raise definitions.not_registered(namespace, name, None)
            return newest
        asked = (tenant, namespace, name, version)
        if asked not in self._known:
            await definitions.find(self._context, *asked)
            if len(self._known) >= VERSIONS_KNOWN_MAX:
                self._known.clear()
            self._known.add(asked)
        return version

    def _new(self, who: Principal, request: StartRequest, version: str) -> NewProcess:
        input_, payload = ref_of(request.input)
        return NewProcess(
            id=clock.uuid7(),
            tenant=who.tenant,
            namespace=request.namespace,
            name=request.name,
            version=version,
            key=request.key,
            tags=request.tags,
            seed=clock.random_bytes(32),
            input=input_,
            payload=payload,
            fact=beginning(request.input, payload, who.name, self._context.settings.payload_bytes_max),
            start_at=request.start_at,
        )

    def _view(self, new: NewProcess, request: StartRequest, accepted: Accepted) -> ProcessView:
        """The process as it was accepted."""
        assert accepted.created_at is not None
        return ProcessView(
            id=new.id,
            definition=DefinitionReference(new.namespace, new.name, new.version),
            status="pending",
            key=new.key,
            tags=new.tags,
            input=self._context.secrets.redact(request.input),
            output=None,
            error=None,
            parent=None,
            created_at=accepted.created_at,
            started_at=None,
            ended_at=None,
            waiting_for=(waits_to_begin(new.id, accepted.created_at, new.start_at),),
        )

    async def _recall(self, who: Principal, key: str, digest: bytes) -> ProcessView | None:
        """The process that a recent repeat started, where it is remembered. The database decides otherwise."""
        known = await self._context.coordinator.recall(_idempotency_key(who, key))
        if known is None or known[16:] != digest:
            return None
        try:
            return await processes.get(self._context, who, UUID(bytes=known[:16]))
        except NotFound:
            return None

    async def _remember(self, who: Principal, key: str, digest: bytes, process: UUID) -> None:
        value = process.bytes + digest
        await self._context.coordinator.remember(_idempotency_key(who, key), value, IDEMPOTENCY_SECONDS)


def _is_plain(request: StartRequest) -> bool:
    """Whether it is started whatever other processes there are."""
    return request.key is None or request.on_conflict == "allow"


def _idempotency_key(who: Principal, key: str) -> str:
    return f"start:{who.tenant}:{token_digest(key).hex()}"
