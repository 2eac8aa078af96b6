"""The runtime as the API sees it: the one door through which everything enters.

`api` depends on this protocol; `perdure.wiring` supplies the implementation.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from perdure.codec import Json
from perdure.engine.errors import Error
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


class Platform(Protocol):
    """All operations are scoped to a principal's tenant. They raise `runtime.errors.Refused` and its kinds."""

    # definitions
    async def register_definition(
        self, who: Principal, source: bytes, media_type: str, *, dry_run: bool = False
    ) -> Registration:
        """Register a definition (``application/yaml`` or ``application/json``).

        Raises `definition.problems.DefinitionUndecodable` (400), `DefinitionInvalid` (422), `Conflict`.
        With `dry_run` nothing is stored and what can't run yet is among the warnings.
        """

    async def list_definitions(self, who: Principal, *, limit: int, cursor: str | None) -> Page[DefinitionView]: ...
    async def list_versions(
        self, who: Principal, namespace: str, name: str, *, limit: int, cursor: str | None
    ) -> Page[DefinitionView]:
        """Highest version first. Raises `NotFound` where the definition has no version."""

    async def get_definition(self, who: Principal, namespace: str, name: str, version: str) -> DefinitionView:
        """`version` may be ``latest``: the highest stable one."""

    # functions
    async def register_function(
        self, who: Principal, name: str, version: str, source: bytes, media_type: str, *, dry_run: bool = False
    ) -> FunctionRegistration:
        """Register a function in the default catalog.

        Raises `DefinitionUndecodable`, `DefinitionInvalid`, `Invalid` (name or version), `Conflict` (other content,
        or a name of the platform). With `dry_run` nothing is stored.
        """

    async def list_functions(self, who: Principal, *, limit: int, cursor: str | None) -> Page[FunctionView]:
        """By name, and version from the highest; those of the platform among them."""

    async def get_function(self, who: Principal, name: str, version: str) -> FunctionView: ...

    # processes
    async def start(
        self, who: Principal, request: StartRequest, *, idempotency_key: str | None = None, awaited: bool = False
    ) -> Started:
        """Accept a process, durably. `NotFound`: no such definition; `Conflict`: `reject`; `Invalid`.

        `awaited` says that the caller is going to wait for its end.
        """

    async def start_batch(self, who: Principal, requests: list[StartRequest]) -> list[ProcessView | Exception]:
        """One result per request, in order; an exception is a `Refused`."""

    async def get_process(self, who: Principal, process: UUID, *, eventual: bool = False) -> ProcessView:
        """`eventual`, here and in the next: what it answers may be a little old, where there is a replica to ask."""

    async def wait_process(self, who: Principal, process: UUID, seconds: float) -> ProcessView:
        """The process as soon as it has ended, or as it is when the time is over."""

    async def list_processes(
        self, who: Principal, filter_: ProcessFilter, *, limit: int, cursor: str | None, eventual: bool = False
    ) -> Page[ProcessView]: ...
    async def activities(
        self, who: Principal, process: UUID, *, limit: int, cursor: str | None, eventual: bool = False
    ) -> Page[ActivityView]: ...
    async def history(
        self, who: Principal, process: UUID, *, limit: int, cursor: str | None, eventual: bool = False
    ) -> Page[HistoryView]: ...
    async def history_after(
        self, who: Principal, process: UUID, sequence: int, *, limit: int
    ) -> tuple[list[HistoryView], bool]:
        """Entries after `sequence`, and whether the process has ended (for the live stream)."""

    async def command(self, who: Principal, process: UUID, command: str, reason: str | None) -> ProcessView:
        """`command`: ``suspend``, ``resume``, ``cancel``, ``retry``. `Conflict` where not allowed."""

    async def why(self, who: Principal, process: UUID) -> WhyView:
        """What it waits for, and what is recorded that will wake it."""

    async def examine(self, who: Principal, request: ExamineRequest) -> ExaminedView:
        """Look for processes that nothing will wake, and repair what is provably safe where that is wanted.

        `NotFound`: no such process.
        """

    # schedules
    async def list_schedules(self, who: Principal, *, limit: int, cursor: str | None) -> Page[ScheduleView]:
        """Those that act, by the names of their definitions."""

    async def get_schedule(self, who: Principal, schedule: UUID) -> ScheduleView: ...
    async def schedule_history(
        self, who: Principal, schedule: UUID, *, limit: int, cursor: str | None
    ) -> Page[ScheduleEntryView]:
        """What was done with it, newest first."""

    async def pause_schedule(self, who: Principal, schedule: UUID, reason: str | None) -> ScheduleView:
        """`Conflict` where it is paused already."""

    async def resume_schedule(self, who: Principal, schedule: UUID, reason: str | None) -> ScheduleView:
        """`Conflict` where it is not paused."""

    async def trigger_schedule(
        self, who: Principal, schedule: UUID, reason: str | None, input_: Json = ...
    ) -> ProcessView:
        """The process started; without `input_` with ``{}``, of an ``on`` with ``[]``."""

    async def backfill_schedule(
        self, who: Principal, schedule: UUID, first: datetime, last: datetime, reason: str | None
    ) -> BackfillView:
        """`Conflict` for ``after`` and ``on``; `Invalid` for a range that is not past, or too long."""

    # webhooks
    async def create_webhook(self, who: Principal, request: WebhookRequest) -> tuple[WebhookView, str]:
        """The webhook and its secret, which is shown this once. `Invalid`; `Conflict` where there are too many."""

    async def list_webhooks(self, who: Principal, *, limit: int, cursor: str | None) -> Page[WebhookView]:
        """Newest first."""

    async def get_webhook(self, who: Principal, webhook: UUID) -> WebhookView: ...
    async def change_webhook(self, who: Principal, webhook: UUID, fields: Mapping[str, Json]) -> WebhookView:
        """`fields`: those of `WebhookRequest` that are to change."""

    async def remove_webhook(self, who: Principal, webhook: UUID) -> None: ...
    async def test_webhook(self, who: Principal, webhook: UUID) -> DeliveryView:
        """`Conflict` where it is disabled."""

    async def list_deliveries(
        self, who: Principal, webhook: UUID, status: str | None, *, limit: int, cursor: str | None
    ) -> Page[DeliveryView]:
        """Newest first."""

    async def redeliver(self, who: Principal, webhook: UUID, delivery: UUID) -> DeliveryView:
        """`Conflict` where it is under way."""

    # the world's answers
    async def receive_events(self, who: Principal, events: list[Json]) -> None:
        """CloudEvents in their JSON format, already checked to have id, source, type, specversion."""

    async def receive_callback(self, token: str, body: Json) -> None:
        """`NotFound`: unknown token; `Conflict`: another body, or ended."""

    # people
    async def list_human_tasks(
        self, who: Principal, filter_: HumanTaskFilter, *, limit: int, cursor: str | None
    ) -> Page[HumanTaskView]: ...
    async def get_human_task(self, who: Principal, task: UUID) -> HumanTaskView: ...
    async def claim(self, who: Principal, task: UUID, user: str) -> HumanTaskView: ...
    async def release(self, who: Principal, task: UUID, user: str) -> HumanTaskView: ...
    async def delegate(self, who: Principal, task: UUID, user: str, to: str) -> HumanTaskView: ...
    async def complete(
        self, who: Principal, task: UUID, user: str, outcome: str, comment: str | None, data: Json
    ) -> HumanTaskView: ...

    # jobs
    async def activate_jobs(self, who: Principal, request: JobRequest) -> list[JobView]:
        """Take jobs; where there is none, wait up to `request.wait` seconds for the first."""

    async def complete_job(self, who: Principal, job: UUID, lease: str, output: Json) -> None:
        """`NotFound`: no such job; `Conflict`: the lease has ended or is another's. So do those that follow."""

    async def fail_job(self, who: Principal, job: UUID, lease: str, error: Error, *, retryable: bool) -> JobRetry: ...
    async def release_job(self, who: Principal, job: UUID, lease: str) -> None:
        """Give it back undone."""

    async def extend_job(self, who: Principal, job: UUID, lease: str, progress: Json) -> LeaseView:
        """Extend the lease; report progress unless that is None."""

    # keys and health
    async def create_key(self, name: str, tenant: str, role: str) -> tuple[KeyView, str]:
        """The new key's record and the key itself, which is shown this once."""

    async def list_keys(self) -> list[KeyView]: ...
    async def revoke_key(self, key: UUID) -> KeyView: ...
    async def authenticate(self, key: str) -> Principal | None: ...
    async def ready(self) -> dict[str, Any]:
        """Per dependency ``ok`` or what is wrong: ``{"database": "ok", "broker": "connection refused"}``."""
