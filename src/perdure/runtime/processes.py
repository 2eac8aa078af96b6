"""Starting, finding and commanding processes."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from perdure import clock
from perdure.codec import Json
from perdure.definition.problems import Problem
from perdure.engine.facts import (
    AnyFact,
    CancelRequested,
    ProcessStarted,
    ResumeRequested,
    RetryRequested,
    SuspendRequested,
)
from perdure.engine.refs import ref_of
from perdure.engine.step import waits_to_begin
from perdure.runtime import cursors, definitions
from perdure.runtime.admission import Admission
from perdure.runtime.announce import Announcement, announce
from perdure.runtime.context import Context
from perdure.runtime.errors import Conflict, Invalid, NotFound, Refused
from perdure.runtime.payloads import Values, resolve
from perdure.runtime.step import Stepper
from perdure.runtime.views import (
    ActivityView,
    DefinitionReference,
    HistoryView,
    Page,
    ParentReference,
    Principal,
    ProcessFilter,
    ProcessView,
    Started,
    StartRequest,
)
from perdure.store.digests import document_digest, token_digest
from perdure.store.facts import encode_fact
from perdure.store.records import ActivityRecord, HistoryRecord, NewProcess, ProcessRecord

UNFINISHED = frozenset({"pending", "running", "waiting", "suspended"})

ALLOWED = {
    "suspend": frozenset({"pending", "running", "waiting"}),
    "resume": frozenset({"suspended"}),
    "cancel": UNFINISHED,
    "retry": frozenset({"faulted"}),
}
"""From which statuses an operator may give which command."""

REACHED = {
    "suspend": frozenset({"suspended"}),
    "resume": frozenset({"pending", "running", "waiting", "completed", "faulted", "cancelled"}),
    "cancel": frozenset({"cancelled"}),
    "retry": frozenset({"pending", "running", "waiting", "completed", "faulted"}),
}
"""Where a command that had its effect leaves the process."""

FACTS: dict[str, type[SuspendRequested | ResumeRequested | CancelRequested | RetryRequested]] = {
    "suspend": SuspendRequested,
    "resume": ResumeRequested,
    "cancel": CancelRequested,
    "retry": RetryRequested,
}

IDEMPOTENCY_SECONDS = 24 * 3600


async def start(
    context: Context, admission: Admission, who: Principal, request: StartRequest, *, idempotency_key: str | None
) -> Started:
    """See `runtime.platform.Platform.start`."""
    digest = document_digest(msgspec.to_builtins(request)) if idempotency_key is not None else b""
    if idempotency_key is not None:
        earlier = await _recall(context, who, idempotency_key, digest)
        if earlier is not None:
            return Started(False, earlier)
    await admission.processes(who.tenant, 1)
    return await _start(context, who, request, idempotency_key, digest)


async def _start(
    context: Context, who: Principal, request: StartRequest, idempotency_key: str | None, digest: bytes
) -> Started:
    new = await _new_process(context, who, request)
    claim = None if idempotency_key is None else (idempotency_key, digest)
    if claim is None and (request.key is None or request.on_conflict == "allow"):
        await context.store.add_processes([new])
        how, id_ = "added", new.id
    else:
        how, id_ = await context.store.add_process_once(new, idempotency=claim, on_conflict=request.on_conflict)
    match how:
        case "mismatch":
            detail = (
                "Idempotency-Key: this key came within the last 24 hours with another body; "
                "repeat the same request, or use a new key"
            )
            raise Invalid(detail, (Problem("", detail),))
        case "existing" if request.on_conflict == "reject":
            raise Conflict(f"An unfinished process with the key {request.key!r} exists: {id_}.")
        case "added":
            await _announce_started(context, [new])
    if idempotency_key is not None:
        await _remember(context, who, idempotency_key, digest, id_)
    return Started(how == "added", await get(context, who, id_))


async def start_batch(
    context: Context, admission: Admission, who: Principal, requests: Sequence[StartRequest]
) -> list[ProcessView | Exception]:
    """See `runtime.platform.Platform.start_batch`. Plain starts are accepted together."""
    await admission.processes(who.tenant, len(requests))
    results: list[ProcessView | Exception | None] = [None] * len(requests)
    plain: list[tuple[int, NewProcess]] = []
    for index, request in enumerate(requests):
        try:
            if request.key is None or request.on_conflict == "allow":
                plain.append((index, await _new_process(context, who, request)))
            else:
                results[index] = (await _start(context, who, request, None, b"")).process
        except Refused as refusal:
            results[index] = refusal
    if plain:
        await context.store.add_processes([new for _, new in plain])
        await _announce_started(context, [new for _, new in plain])
        now = await context.store.now()
        for index, new in plain:
            results[index] = ProcessView(
                id=new.id,
                definition=DefinitionReference(new.namespace, new.name, new.version),
                status="pending",
                key=new.key,
                tags=new.tags,
                input=context.secrets.redact(requests[index].input),
                output=None,
                error=None,
                parent=None,
                created_at=now,
                started_at=None,
                ended_at=None,
                waiting_for=(waits_to_begin(new.id, now, new.start_at),),
            )
    return [result for result in results if result is not None]


async def get(context: Context, who: Principal, process: UUID) -> ProcessView:
    record = await _record(context, who, process)
    return _view(record, await resolve(context, [(record.id, record.input), (record.id, record.output)]))


async def page(
    context: Context, who: Principal, filter_: ProcessFilter, *, limit: int, cursor: str | None
) -> Page[ProcessView]:
    before = cursors.read(cursor, cursors.time_and_id)
    found = await context.store.list_processes(who.tenant, msgspec.structs.asdict(filter_), limit + 1, before)
    items, next_ = cursors.page(found, limit, lambda r: (r.created_at, r.id))
    values = await resolve(context, [(r.id, ref) for r in items for ref in (r.input, r.output)])
    return Page([_view(record, values) for record in items], next_)


async def activities(
    context: Context, who: Principal, process: UUID, *, limit: int, cursor: str | None
) -> Page[ActivityView]:
    after = cursors.read(cursor, cursors.number)
    await _record(context, who, process)
    found = await context.store.activities(process, limit + 1, after)
    items, next_ = cursors.page(found, limit, lambda r: (r.number,))
    values = await resolve(context, [(process, ref) for r in items for ref in (r.input, r.output)])
    return Page([_activity(context, record, values) for record in items], next_)


async def history(
    context: Context, who: Principal, process: UUID, *, limit: int, cursor: str | None
) -> Page[HistoryView]:
    after = cursors.read(cursor, cursors.number)
    await _record(context, who, process)
    found = await context.store.history(process, limit + 1, after)
    items, next_ = cursors.page(found, limit, lambda r: (r.sequence,))
    return Page([_entry(context, record) for record in items], next_)


async def history_after(
    context: Context, who: Principal, process: UUID, sequence: int, *, limit: int
) -> tuple[list[HistoryView], bool]:
    # The status first: entries that come with the end are then surely among those read after.
    record = await _record(context, who, process)
    found = await context.store.history(process, limit, sequence)
    return [_entry(context, entry) for entry in found], record.status not in UNFINISHED


async def command(
    context: Context, stepper: Stepper, who: Principal, process: UUID, name: str, reason: str | None
) -> ProcessView:
    """See `runtime.platform.Platform.command`. The step is taken here, so that the answer shows its result."""
    before = await _record(context, who, process)
    if before.status not in ALLOWED[name]:
        raise _not_allowed(name, before.status)
    fact: AnyFact = FACTS[name](actor=who.name, reason=reason)
    await context.store.record([(process, encode_fact(fact))], operator=True)
    await stepper.step_now(process)
    after = await get(context, who, process)
    if after.status not in REACHED[name]:
        raise _not_allowed(name, after.status)
    return after


def _not_allowed(name: str, status: str) -> Conflict:
    allowed = ", ".join(sorted(ALLOWED[name]))
    return Conflict(f"{name}: expected a process that is {allowed}; this one is {status}.")


async def _new_process(context: Context, who: Principal, request: StartRequest) -> NewProcess:
    definition = await definitions.find(context, who.tenant, request.namespace, request.name, request.version)
    input_, payload = ref_of(request.input)
    return NewProcess(
        id=clock.uuid7(),
        tenant=who.tenant,
        namespace=definition.namespace,
        name=definition.name,
        version=definition.version,
        key=request.key,
        tags=request.tags,
        seed=clock.random_bytes(32),
        input=input_,
        payload=payload,
        fact=encode_fact(ProcessStarted(input=request.input, actor=who.name)),
        start_at=request.start_at,
    )


async def _announce_started(context: Context, processes: Sequence[NewProcess]) -> None:
    at_once = [process.id for process in processes if process.start_at is None]
    await announce(context.broker, Announcement(steps=at_once))


def _idempotency_key(who: Principal, key: str) -> str:
    return f"start:{who.tenant}:{token_digest(key).hex()}"


async def _recall(context: Context, who: Principal, key: str, digest: bytes) -> ProcessView | None:
    """The process that a recent repeat started, where it is remembered. The database decides otherwise."""
    known = await context.coordinator.recall(_idempotency_key(who, key))
    if known is None or known[16:] != digest:
        return None
    try:
        return await get(context, who, UUID(bytes=known[:16]))
    except NotFound:
        return None


async def _remember(context: Context, who: Principal, key: str, digest: bytes, process: UUID) -> None:
    await context.coordinator.remember(_idempotency_key(who, key), process.bytes + digest, IDEMPOTENCY_SECONDS)


async def _record(context: Context, who: Principal, process: UUID) -> ProcessRecord:
    record = await context.store.process(who.tenant, process)
    if record is None:
        raise NotFound(f"There is no process {process}.")
    return record


def _view(record: ProcessRecord, values: Values) -> ProcessView:
    parent = None
    if record.parent_process is not None and record.parent_activity is not None:
        parent = ParentReference(record.parent_process, record.parent_activity)
    return ProcessView(
        id=record.id,
        definition=DefinitionReference(record.namespace, record.name, record.version),
        status=record.status,
        key=record.key,
        tags=record.tags,
        input=values.of(record.id, record.input),
        output=values.of(record.id, record.output),
        error=values.error(record.error),
        parent=parent,
        created_at=record.created_at,
        started_at=record.started_at,
        ended_at=record.ended_at,
        waiting_for=record.waiting,
    )


def _activity(context: Context, record: ActivityRecord, values: Values) -> ActivityView:
    return ActivityView(
        id=record.id,
        process=record.process,
        parent=record.parent,
        reference=record.reference,
        name=record.name,
        kind=record.kind,
        iteration=record.iteration,
        status=record.status,
        attempt=record.attempt,
        input=values.of(record.process, record.input),
        output=values.of(record.process, record.output),
        error=values.error(record.error),
        created_at=record.created_at,
        started_at=record.started_at,
        ended_at=record.ended_at,
        progress=context.secrets.redact(record.progress),
    )


def _entry(context: Context, record: HistoryRecord) -> HistoryView:
    data: Json = context.secrets.redact(record.data)
    return HistoryView(record.sequence, record.at, record.type, record.activity, record.actor, data)
