"""Starting, finding and commanding processes."""

from uuid import UUID

import msgspec

from perdure.engine.draft import WORKFLOW
from perdure.engine.facts import (
    AnyFact,
    CancelRequested,
    ResumeRequested,
    RetryRequested,
    SuspendRequested,
)
from perdure.runtime import cursors
from perdure.runtime.context import Context
from perdure.runtime.errors import Conflict, NotFound
from perdure.runtime.lifecycle_events import qualified_name, told
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
)
from perdure.store.facts import encode_fact
from perdure.store.records import ActivityRecord, HistoryRecord, ProcessRecord

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
    record = await _record(context, who, process)
    found = await context.store.history(process, limit + 1, after)
    items, next_ = cursors.page(found, limit, lambda r: (r.sequence,))
    return Page([_entry(context, record, entry) for entry in items], next_)


async def history_after(
    context: Context, who: Principal, process: UUID, sequence: int, *, limit: int
) -> tuple[list[HistoryView], bool]:
    # The status first: entries that come with the end are then surely among those read after.
    record = await _record(context, who, process)
    found = await context.store.history(process, limit, sequence)
    return [_entry(context, record, entry) for entry in found], record.status not in UNFINISHED


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


def _entry(context: Context, process: ProcessRecord, entry: HistoryRecord) -> HistoryView:
    data = entry.data
    if entry.type.startswith(WORKFLOW):
        data = told(entry, qualified_name(process.id, process.namespace, process.name))
    actor = context.secrets.redact_text(entry.actor)
    return HistoryView(entry.sequence, entry.at, entry.type, entry.activity, actor, context.secrets.redact(data))
