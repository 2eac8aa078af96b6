"""The runtime behind `runtime.platform.Platform`: each operation is one call into the file that has its job."""

from collections.abc import Awaitable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from perdure.codec import Json
from perdure.engine.errors import Error
from perdure.runtime import (
    callbacks,
    definitions,
    doctor,
    events,
    functions,
    jobs,
    keys,
    people,
    processes,
    schedules,
    webhooks,
    why,
)
from perdure.runtime.admission import Admission
from perdure.runtime.context import Context
from perdure.runtime.job_changes import JobChanges
from perdure.runtime.job_queue import JobQueue
from perdure.runtime.reading import Reader
from perdure.runtime.starts import Starts
from perdure.runtime.step import Stepper
from perdure.runtime.views import (
    ActivityView,
    BackfillView,
    DefinitionView,
    DeliveryView,
    ExaminedView,
    ExamineRequest,
    FunctionRegistration,
    FunctionView,
    HistoryView,
    HumanTaskFilter,
    HumanTaskView,
    JobRequest,
    JobRetry,
    JobView,
    KeyView,
    LeaseView,
    Page,
    Principal,
    ProcessFilter,
    ProcessView,
    Registration,
    ScheduleEntryView,
    ScheduleView,
    Started,
    StartRequest,
    WebhookRequest,
    WebhookView,
    WhyView,
)
from perdure.runtime.watch import Watch


class Service:
    """See `runtime.platform.Platform`."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._admission = Admission(context.store, context.settings)
        self._stepper = Stepper(context)
        self._starts = Starts(context, self._admission, self._stepper)
        self._doorkeeper = keys.Doorkeeper(context.store)
        self._watch = Watch(context.store, context.broker)
        self._job_queue = JobQueue(context.store, context.broker)
        self._job_changes = JobChanges(context)
        self._intake = events.Intake(context)
        self._reader = Reader(context)

    async def stop(self) -> None:
        await self._starts.stop()
        await self._watch.stop()
        await self._job_queue.stop()
        await self._job_changes.stop()
        await self._intake.stop()
        await self._stepper.stop()

    # definitions

    async def register_definition(
        self, who: Principal, source: bytes, media_type: str, *, dry_run: bool = False
    ) -> Registration:
        return await definitions.register(self._context, who, source, media_type, dry_run=dry_run)

    async def list_definitions(self, who: Principal, *, limit: int, cursor: str | None) -> Page[DefinitionView]:
        return await definitions.page(self._context, who, limit=limit, cursor=cursor)

    async def list_versions(
        self, who: Principal, namespace: str, name: str, *, limit: int, cursor: str | None
    ) -> Page[DefinitionView]:
        return await definitions.versions(self._context, who, namespace, name, limit=limit, cursor=cursor)

    async def get_definition(self, who: Principal, namespace: str, name: str, version: str) -> DefinitionView:
        return await definitions.get(self._context, who, namespace, name, version)

    # functions

    async def register_function(
        self, who: Principal, name: str, version: str, source: bytes, media_type: str, *, dry_run: bool = False
    ) -> FunctionRegistration:
        return await functions.register(self._context, who, name, version, source, media_type, dry_run=dry_run)

    async def list_functions(self, who: Principal, *, limit: int, cursor: str | None) -> Page[FunctionView]:
        return await functions.page(self._context, who, limit=limit, cursor=cursor)

    async def get_function(self, who: Principal, name: str, version: str) -> FunctionView:
        return await functions.get(self._context, who, name, version)

    # processes

    async def start(
        self, who: Principal, request: StartRequest, *, idempotency_key: str | None = None, awaited: bool = False
    ) -> Started:
        return await self._starts.start(who, request, idempotency_key=idempotency_key, awaited=awaited)

    async def start_batch(self, who: Principal, requests: list[StartRequest]) -> list[ProcessView | Exception]:
        return await self._starts.start_batch(who, requests)

    async def get_process(self, who: Principal, process: UUID, *, eventual: bool = False) -> ProcessView:
        return await self._reader.read(lambda context: processes.get(context, who, process), eventual=eventual)

    async def wait_process(self, who: Principal, process: UUID, seconds: float) -> ProcessView:
        view = await processes.get(self._context, who, process)
        if seconds <= 0 or view.status not in processes.UNFINISHED:
            return view
        await self._watch.ended(process, seconds)
        return await processes.get(self._context, who, process)

    async def list_processes(
        self, who: Principal, filter_: ProcessFilter, *, limit: int, cursor: str | None, eventual: bool = False
    ) -> Page[ProcessView]:
        def read(context: Context) -> Awaitable[Page[ProcessView]]:
            return processes.page(context, who, filter_, limit=limit, cursor=cursor)

        return await self._reader.read(read, eventual=eventual)

    async def activities(
        self, who: Principal, process: UUID, *, limit: int, cursor: str | None, eventual: bool = False
    ) -> Page[ActivityView]:
        def read(context: Context) -> Awaitable[Page[ActivityView]]:
            return processes.activities(context, who, process, limit=limit, cursor=cursor)

        return await self._reader.read(read, eventual=eventual)

    async def history(
        self, who: Principal, process: UUID, *, limit: int, cursor: str | None, eventual: bool = False
    ) -> Page[HistoryView]:
        def read(context: Context) -> Awaitable[Page[HistoryView]]:
            return processes.history(context, who, process, limit=limit, cursor=cursor)

        return await self._reader.read(read, eventual=eventual)

    async def history_after(
        self, who: Principal, process: UUID, sequence: int, *, limit: int
    ) -> tuple[list[HistoryView], bool]:
        return await processes.history_after(self._context, who, process, sequence, limit=limit)

    async def command(self, who: Principal, process: UUID, command: str, reason: str | None) -> ProcessView:
        return await processes.command(self._context, self._stepper, who, process, command, reason)

    async def why(self, who: Principal, process: UUID) -> WhyView:
        return await why.why(self._context, who, process)

    async def examine(self, who: Principal, request: ExamineRequest) -> ExaminedView:
        context, tenant = self._context, who.tenant
        if request.process is None:
            return await doctor.examine(
                context, who.name, tenant, after=request.after, limit=request.limit, repair=request.repair
            )
        return await doctor.examine_one(
            context, who.name, tenant, request.process, repair=request.repair, restart=request.restart
        )

    # schedules

    async def list_schedules(self, who: Principal, *, limit: int, cursor: str | None) -> Page[ScheduleView]:
        return await schedules.page(self._context, who, limit=limit, cursor=cursor)

    async def get_schedule(self, who: Principal, schedule: UUID) -> ScheduleView:
        return await schedules.get(self._context, who, schedule)

    async def schedule_history(
        self, who: Principal, schedule: UUID, *, limit: int, cursor: str | None
    ) -> Page[ScheduleEntryView]:
        return await schedules.history(self._context, who, schedule, limit=limit, cursor=cursor)

    async def pause_schedule(self, who: Principal, schedule: UUID, reason: str | None) -> ScheduleView:
        return await schedules.pause(self._context, who, schedule, reason)

    async def resume_schedule(self, who: Principal, schedule: UUID, reason: str | None) -> ScheduleView:
        return await schedules.resume(self._context, who, schedule, reason)

    async def trigger_schedule(
        self, who: Principal, schedule: UUID, reason: str | None, input_: Json = schedules.NO_INPUT
    ) -> ProcessView:
        return await schedules.trigger(self._context, who, schedule, input_, reason)

    async def backfill_schedule(
        self, who: Principal, schedule: UUID, first: datetime, last: datetime, reason: str | None
    ) -> BackfillView:
        return await schedules.backfill(self._context, who, schedule, first, last, reason)

    # webhooks

    async def create_webhook(self, who: Principal, request: WebhookRequest) -> tuple[WebhookView, str]:
        return await webhooks.create(self._context, who, request)

    async def list_webhooks(self, who: Principal, *, limit: int, cursor: str | None) -> Page[WebhookView]:
        return await webhooks.page(self._context, who, limit=limit, cursor=cursor)

    async def get_webhook(self, who: Principal, webhook: UUID) -> WebhookView:
        return await webhooks.get(self._context, who, webhook)

    async def change_webhook(self, who: Principal, webhook: UUID, fields: Mapping[str, Json]) -> WebhookView:
        return await webhooks.change(self._context, who, webhook, fields)

    async def remove_webhook(self, who: Principal, webhook: UUID) -> None:
        await webhooks.remove(self._context, who, webhook)

    async def test_webhook(self, who: Principal, webhook: UUID) -> DeliveryView:
        return await webhooks.test(self._context, who, webhook)

    async def list_deliveries(
        self, who: Principal, webhook: UUID, status: str | None, *, limit: int, cursor: str | None
    ) -> Page[DeliveryView]:
        return await webhooks.deliveries(self._context, who, webhook, status, limit=limit, cursor=cursor)

    async def redeliver(self, who: Principal, webhook: UUID, delivery: UUID) -> DeliveryView:
        return await webhooks.redeliver(self._context, who, webhook, delivery)

    # the world's answers

    async def receive_events(self, who: Principal, received: list[Json]) -> None:
        await self._admission.facts(len(received))
        await self._intake.receive(who, received)

    async def receive_callback(self, token: str, body: Json) -> None:
        await callbacks.receive(self._context, token, body)

    # people

    async def list_human_tasks(
        self, who: Principal, filter_: HumanTaskFilter, *, limit: int, cursor: str | None
    ) -> Page[HumanTaskView]:
        return await people.page(self._context, who, filter_, limit=limit, cursor=cursor)

    async def get_human_task(self, who: Principal, task: UUID) -> HumanTaskView:
        return await people.get(self._context, who, task)

    async def claim(self, who: Principal, task: UUID, user: str) -> HumanTaskView:
        return await people.claim(self._context, who, task, user)

    async def release(self, who: Principal, task: UUID, user: str) -> HumanTaskView:
        return await people.release(self._context, who, task, user)

    async def delegate(self, who: Principal, task: UUID, user: str, to: str) -> HumanTaskView:
        return await people.delegate(self._context, who, task, user, to)

    async def complete(
        self, who: Principal, task: UUID, user: str, outcome: str, comment: str | None, data: Json
    ) -> HumanTaskView:
        return await people.complete(self._context, who, task, user, outcome, comment, data)

    # jobs

    async def activate_jobs(self, who: Principal, request: JobRequest) -> list[JobView]:
        return await jobs.activate(self._context, self._job_queue, self._job_changes, who, request)

    async def complete_job(self, who: Principal, job: UUID, lease: str, output: Json) -> None:
        await jobs.complete(self._job_changes, who, job, lease, output)

    async def fail_job(self, who: Principal, job: UUID, lease: str, error: Error, *, retryable: bool) -> JobRetry:
        most = self._context.settings.job_attempts_max
        return await jobs.fail(self._job_changes, who, job, lease, error, retryable=retryable, attempts_max=most)

    async def release_job(self, who: Principal, job: UUID, lease: str) -> None:
        await jobs.release(self._job_changes, who, job, lease)

    async def extend_job(self, who: Principal, job: UUID, lease: str, progress: Json) -> LeaseView:
        return await jobs.extend(self._job_changes, who, job, lease, progress)

    # keys and health

    async def create_key(self, name: str, tenant: str, role: str) -> tuple[KeyView, str]:
        return await keys.create(self._context.store, name, tenant, role)

    async def list_keys(self) -> list[KeyView]:
        return await keys.listing(self._context.store)

    async def revoke_key(self, key: UUID) -> KeyView:
        return await keys.revoke(self._context.store, key)

    async def authenticate(self, key: str) -> Principal | None:
        return await self._doorkeeper.authenticate(key)

    async def ready(self) -> dict[str, Any]:
        return {
            "database": await self._context.store.ready(),
            "broker": await self._context.broker.ready(),
            "cache": await self._context.coordinator.ready(),
        }
