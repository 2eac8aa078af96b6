"""Jobs: work that external workers ask for, under a lease, and answer.

A lease is proved by its token. A job whose lease ends without a word is offered again, and so is one whose worker
asks for another try, after a growing pause and a bounded number of times. Each of these is a fact for the process.
"""

import hmac
from datetime import datetime, timedelta
from functools import partial
from hashlib import blake2b
from uuid import UUID

import msgspec

from perdure import clock
from perdure.codec import Json
from perdure.engine.errors import Error, standard
from perdure.engine.facts import JobCompleted, JobFailed, JobLeased, JobReturned
from perdure.engine.ids import fraction
from perdure.runtime.announce import Announcement, announce
from perdure.runtime.context import Context
from perdure.runtime.errors import Conflict
from perdure.runtime.job_changes import JobChanges
from perdure.runtime.job_queue import JobQueue
from perdure.runtime.payloads import resolve
from perdure.runtime.views import JobRequest, JobRetry, JobView, LeaseView, Principal
from perdure.store.digests import document_digest
from perdure.store.facts import encode_fact
from perdure.store.records import JobRecord

PAUSE_SECONDS = 0.5
PAUSE_SECONDS_MAX = 300.0
PAUSE_JITTER = 0.2
LEASES_LOST_MAX = 100
"""A job that so many workers took and never answered is not offered again."""
DUE_BATCH_MAX = 200


async def activate(
    context: Context, queue: JobQueue, changes: JobChanges, who: Principal, request: JobRequest
) -> list[JobView]:
    """See `runtime.platform.Platform.activate_jobs`."""

    async def take() -> list[JobRecord]:
        return await context.store.lease_jobs(
            who.tenant,
            request.type,
            request.max,
            lease_seconds=request.lease,
            lease_seconds_default=context.settings.job_lease_seconds,
            worker=request.worker or who.name,
            actor=who.name,
            token_seed=clock.random_bytes(32),
            fact_of=_leased,
        )

    taken = await queue.first((who.tenant, request.type), request.wait, take, partial(_give_back, changes, who))
    if not taken:
        return []
    await announce(context.broker, Announcement(steps=[job.process for job in taken]))
    values = await resolve(context, [(job.process, job.input) for job in taken])
    return [_view(job, values.plain(job.process, job.input)) for job in taken]


async def complete(changes: JobChanges, who: Principal, job: UUID, lease: str, output: Json) -> None:
    """See `runtime.platform.Platform.complete_job`."""
    answer = document_digest(["completed", output])

    def change(record: JobRecord, now: datetime) -> tuple[JobRecord, bytes | None]:
        if _is_repeat(record, lease, answer):
            return record, None
        _expect_lease(record, lease, now)
        fact = JobCompleted(
            activity=job,
            attempt=record.attempt,
            delivery=record.deliveries,
            output=output,
            worker=record.worker or "",
            actor=who.name,
        )
        return _ended(record, "completed", answer), encode_fact(fact)

    await changes.make(who.tenant, job, change)


async def fail(
    changes: JobChanges, who: Principal, job: UUID, lease: str, error: Error, *, retryable: bool, attempts_max: int
) -> JobRetry:
    """See `runtime.platform.Platform.fail_job`."""
    answer = document_digest(["failed", msgspec.to_builtins(error), retryable])

    def change(record: JobRecord, now: datetime) -> tuple[JobRecord, bytes | None]:
        if _is_repeat(record, lease, answer):
            return record, None
        _expect_lease(record, lease, now)
        if retryable and record.failures + 1 < attempts_max:
            again_at = now + _pause(record)
            failed = msgspec.structs.replace(
                record, state="delayed", failures=record.failures + 1, due=again_at, answer=answer
            )
            return failed, encode_fact(_returned(record, who.name, "failed", error, again_at))
        return _ended(record, "failed", answer), encode_fact(_failed(record, who.name, error))

    record = await changes.make(who.tenant, job, change)
    return JobRetry(record.due if record.state == "delayed" else None)


async def release(changes: JobChanges, who: Principal, job: UUID, lease: str) -> None:
    """See `runtime.platform.Platform.release_job`."""
    answer = document_digest(["released"])

    def change(record: JobRecord, now: datetime) -> tuple[JobRecord, bytes | None]:
        if _is_repeat(record, lease, answer):
            return record, None
        _expect_lease(record, lease, now)
        released = msgspec.structs.replace(record, state="available", due=None, answer=answer)
        return released, encode_fact(_returned(record, who.name, "released"))

    await changes.make(who.tenant, job, change)


async def extend(changes: JobChanges, who: Principal, job: UUID, lease: str, progress: Json) -> LeaseView:
    """See `runtime.platform.Platform.extend_job`."""

    def change(record: JobRecord, now: datetime) -> tuple[JobRecord, None]:
        _expect_lease(record, lease, now)
        assert record.lease_seconds is not None
        until = now + timedelta(seconds=record.lease_seconds)
        kept = record.progress if progress is None else progress
        return msgspec.structs.replace(record, due=until, progress=kept), None

    return _lease(await changes.make(who.tenant, job, change))


async def return_due(context: Context, limit: int = DUE_BATCH_MAX) -> list[UUID]:
    """Offer again what leases and delays have ended of; answers the processes that have something to decide."""
    changed = await context.store.change_due_jobs(limit, _returned_due)
    processes = [job.process for job in changed if job.state == "failed" or job.token is None]
    available = {(job.tenant, job.type) for job in changed if job.state == "available" and not job.held}
    await announce(context.broker, Announcement(steps=processes, jobs=available))
    return processes


def _returned_due(record: JobRecord, _: datetime) -> tuple[JobRecord, bytes | None]:
    available = msgspec.structs.replace(record, state="available", due=None)
    if record.state == "delayed":
        return available, None
    if record.deliveries - record.failures >= LEASES_LOST_MAX:
        detail = f"the job was given to workers {record.deliveries} times, and nothing was heard of them"
        return _ended(record, "failed", None), encode_fact(_failed(record, "perdure", standard("timeout", detail)))
    lost = msgspec.structs.replace(available, token=None)
    return lost, encode_fact(_returned(record, "perdure", "lease-ended"))


async def _give_back(changes: JobChanges, who: Principal, jobs: list[JobRecord]) -> None:
    """Whoever asked for them is gone."""
    for job in jobs:
        await release(changes, who, job.id, str(job.token))


def _expect_lease(record: JobRecord, lease: str, now: datetime) -> None:
    if record.state != "leased":
        raise Conflict(f"Expected a job that is leased; this one is {record.state}. Drop it, and ask for another.")
    if not _is_of(record, lease) or record.due is None or record.due <= now:
        raise Conflict("The lease has ended, or is another worker's. Drop the job, and ask for another.")


def _is_repeat(record: JobRecord, lease: str, answer: bytes) -> bool:
    return record.state != "leased" and record.answer == answer and _is_of(record, lease)


def _is_of(record: JobRecord, lease: str) -> bool:
    if record.token is None:
        return False
    return hmac.compare_digest(str(record.token).encode(), lease.lower().encode(errors="replace"))


def _ended(record: JobRecord, state: str, answer: bytes | None) -> JobRecord:
    return msgspec.structs.replace(record, state=state, due=None, answer=answer)


def _pause(record: JobRecord) -> timedelta:
    """Until another try: doubling, spread a little, always the same for one failure of one job."""
    seconds = min(PAUSE_SECONDS * 2.0 ** min(record.failures, 30), PAUSE_SECONDS_MAX)
    return timedelta(seconds=seconds * (1 + PAUSE_JITTER * fraction(record.id, record.failures)))


def _leased(record: JobRecord) -> bytes:
    assert record.due is not None
    fact = JobLeased(
        activity=record.id,
        attempt=record.attempt,
        delivery=record.deliveries,
        worker=record.worker or "",
        actor=record.actor or "",
        until=record.due,
    )
    return encode_fact(fact)


def _returned(
    record: JobRecord, actor: str, reason: str, error: Error | None = None, again_at: datetime | None = None
) -> JobReturned:
    return JobReturned(
        activity=record.id,
        attempt=record.attempt,
        delivery=record.deliveries,
        worker=record.worker or "",
        actor=actor,
        reason=reason,
        error=error,
        again_at=again_at,
    )


def _failed(record: JobRecord, actor: str, error: Error) -> JobFailed:
    return JobFailed(
        activity=record.id,
        attempt=record.attempt,
        delivery=record.deliveries,
        error=error,
        worker=record.worker or "",
        actor=actor,
    )


def _view(record: JobRecord, input_: Json) -> JobView:
    attempt = record.attempt + record.deliveries - 1
    return JobView(
        id=record.id,
        process=record.process,
        activity=record.id,
        type=record.type,
        input=input_,
        attempt=attempt,
        priority=record.priority,
        idempotency_key=f"{record.process}/{record.id}",
        traceparent=_traceparent(record, attempt),
        lease=_lease(record),
    )


def _traceparent(record: JobRecord, attempt: int) -> str:
    """W3C Trace Context, as on calls: the trace is the process."""
    span = blake2b(record.id.bytes + attempt.to_bytes(8, "big"), digest_size=8).hexdigest()
    return f"00-{record.process.hex}-{span}-01"


def _lease(record: JobRecord) -> LeaseView:
    assert record.token is not None and record.due is not None
    return LeaseView(record.token, record.due)
