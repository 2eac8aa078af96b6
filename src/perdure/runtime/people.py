"""The task inbox of people: who may decide what, and the decision."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from perdure.codec import Json
from perdure.definition.problems import Problem
from perdure.definition.schemas import compiled
from perdure.engine.draft import PERDURE
from perdure.engine.facts import HumanTaskActed, HumanTaskCompleted
from perdure.runtime import cursors
from perdure.runtime.announce import Announcement, announce
from perdure.runtime.context import Context
from perdure.runtime.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from perdure.runtime.views import HumanTaskFilter, HumanTaskView, Page, Principal
from perdure.secrets import Secrets
from perdure.store.contract import TaskChange
from perdure.store.facts import encode_fact
from perdure.store.records import HumanTaskRecord

UNDECIDED = frozenset({"open", "claimed"})


async def page(
    context: Context, who: Principal, filter_: HumanTaskFilter, *, limit: int, cursor: str | None
) -> Page[HumanTaskView]:
    before = cursors.read(cursor, cursors.time_and_id)
    found = await context.store.human_tasks(who.tenant, msgspec.structs.asdict(filter_), limit + 1, before)
    items, next_ = cursors.page(found, limit, lambda r: (r.created_at, r.id))
    return Page([_view(context, record) for record in items], next_)


async def get(context: Context, who: Principal, task: UUID) -> HumanTaskView:
    record = await context.store.human_task(who.tenant, task)
    if record is None:
        raise _unknown(task)
    return _view(context, record)


async def claim(context: Context, who: Principal, task: UUID, user: str) -> HumanTaskView:
    def change(record: HumanTaskRecord) -> HumanTaskRecord:
        _may_decide(record, user)
        return msgspec.structs.replace(record, status="claimed", assignee=user)

    return await _change(context, task, change, _Act(who, "claimed", user))


async def release(context: Context, who: Principal, task: UUID, user: str) -> HumanTaskView:
    def change(record: HumanTaskRecord) -> HumanTaskRecord:
        if record.status != "claimed":
            raise Conflict(f"release: expected a claimed human task; this one is {record.status}.")
        _may_decide(record, user)
        return msgspec.structs.replace(record, status="open", assignee=None)

    return await _change(context, task, change, _Act(who, "released", user))


async def delegate(context: Context, who: Principal, task: UUID, user: str, to: str) -> HumanTaskView:
    def change(record: HumanTaskRecord) -> HumanTaskRecord:
        _may_decide(record, user)
        _not_excluded(record, to)
        return msgspec.structs.replace(record, status="claimed", assignee=to)

    return await _change(context, task, change, _Act(who, "delegated", user, to))


async def complete(
    context: Context,
    who: Principal,
    task: UUID,
    user: str,
    outcome: str,
    comment: str | None,
    data: Json,
) -> HumanTaskView:
    """See `runtime.platform.Platform.complete`. The decision and the process's fact commit together."""

    def change(record: HumanTaskRecord, now: datetime) -> tuple[HumanTaskRecord, bytes]:
        _undecided(record)
        _is_person(user)
        _may_decide(record, user)
        _fits(record, outcome, data)
        output = {
            "outcome": outcome,
            "data": data,
            "comment": comment,
            "completedBy": user,
            "completedAt": now.isoformat().replace("+00:00", "Z"),
        }
        fact = HumanTaskCompleted(activity=record.id, output=output, actor=user, by=who.name)
        decided = msgspec.structs.replace(
            record, status="completed", assignee=user, outcome=outcome, output=output, completed_at=now
        )
        return decided, encode_fact(fact)

    return await _changed(context, who, task, change)


@dataclass(frozen=True, slots=True)
class _Act:
    """Who does what with a human task, for whom."""

    who: Principal
    action: str
    user: str
    to: str | None = None


async def _change(
    context: Context, task: UUID, change: Callable[[HumanTaskRecord], HumanTaskRecord], act: _Act
) -> HumanTaskView:
    """Change the task, and let the process's trail tell; a repeat that changes nothing leaves no trace."""

    def under_lock(record: HumanTaskRecord, now: datetime) -> tuple[HumanTaskRecord, bytes | None]:
        _undecided(record)
        changed = change(record)
        if changed == record:
            return changed, None
        fact = HumanTaskActed(activity=record.id, action=act.action, actor=act.user, by=act.who.name, to=act.to)
        return changed, encode_fact(fact)

    return await _changed(context, act.who, task, under_lock)


async def _changed(context: Context, who: Principal, task: UUID, change: TaskChange) -> HumanTaskView:
    try:
        record = await context.store.change_human_task(who.tenant, task, change)
    except Refused as refusal:  # it quotes what the author wrote
        raise _shown(refusal, context.secrets) from None
    if record is None:
        raise _unknown(task)
    await announce(context.broker, Announcement(steps=[record.process]))
    return _view(context, record)


def _shown(refusal: Refused, secrets: Secrets) -> Refused:
    """The refusal without the secrets that an author has put into the task."""
    problems = [Problem(secrets.redact_text(p.pointer), secrets.redact_text(p.detail)) for p in refusal.problems]
    return type(refusal)(secrets.redact_text(refusal.detail), tuple(problems))


def _undecided(record: HumanTaskRecord) -> None:
    if record.status not in UNDECIDED:
        raise Conflict(f"Expected a human task that is open or claimed; this one is {record.status}.")


def _is_person(user: str) -> None:
    if user == PERDURE:
        detail = f"{PERDURE!r} is what the history calls the platform itself; expected a person"
        raise Invalid(f"user: {detail}", (Problem("/user", detail),))


def _may_decide(record: HumanTaskRecord, user: str) -> None:
    _not_excluded(record, user)
    if record.status == "claimed" and record.assignee != user:
        raise Conflict(f"The human task is claimed by {record.assignee!r}; only they may act on it.")


def _not_excluded(record: HumanTaskRecord, user: str) -> None:
    if user in record.exclude_users:
        raise Forbidden(f"{user!r} is among the people that this human task excludes.")


def _fits(record: HumanTaskRecord, outcome: str, data: Json) -> None:
    if outcome not in record.outcomes:
        expected = ", ".join(record.outcomes)
        detail = f"expected one of {expected}; found {outcome!r}"
        raise Invalid(f"outcome: {detail}", (Problem("/outcome", detail),))
    if record.form is None:
        return
    problems = tuple(Problem("/data" + pointer, message) for pointer, message in compiled(record.form).validate(data))
    if problems:
        raise Invalid("data: what was entered does not fit the task's form", problems)


def _unknown(task: UUID) -> NotFound:
    return NotFound(f"There is no human task {task}.")


def _view(context: Context, record: HumanTaskRecord) -> HumanTaskView:
    redact = context.secrets.redact

    def names(texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(context.secrets.redact_text, texts))

    return HumanTaskView(
        id=record.id,
        process=record.process,
        activity=record.id,
        title=redact(record.title),
        description=redact(record.description),
        status=record.status,
        assignee=redact(record.assignee),
        assignees=names(record.assignees),
        candidate_groups=names(record.candidate_groups),
        exclude_users=names(record.exclude_users),
        outcomes=names(record.outcomes),
        form=redact(record.form),
        due=record.due,
        outcome=redact(record.outcome),
        output=redact(record.output),
        created_at=record.created_at,
        completed_at=record.completed_at,
    )
