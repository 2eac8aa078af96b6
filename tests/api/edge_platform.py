"""A platform without a runtime, for what the edge alone decides: parsing, negotiation, problem details."""

from datetime import UTC, datetime
from uuid import UUID

from perdure.runtime.views import (
    ActivityView,
    BackfillView,
    DefinitionReference,
    DefinitionView,
    DeliveryView,
    ExaminedView,
    FunctionRegistration,
    FunctionView,
    HistoryView,
    HumanTaskView,
    JobRetry,
    JobView,
    KeyView,
    LastRun,
    LeaseView,
    Page,
    Principal,
    ProcessView,
    Registration,
    ScheduleEntryView,
    ScheduleView,
    Started,
    Warning_,
    WebhookFilterView,
    WebhookView,
    WhyView,
)

ID = UUID("0193a5c4-7d1e-7c3a-9f56-2b8d4e6a1c70")
AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
KEY = "pdk_valid"
YAML = "document:\n  name: greet # the author's own words\n"

PROCESS = ProcessView(
    id=ID,
    definition=DefinitionReference("shop", "greet", "1.0.0"),
    status="running",
    key=None,
    tags={},
    input={},
    output=None,
    error=None,
    parent=None,
    created_at=AT,
    started_at=AT,
    ended_at=None,
    waiting_for=(),
)
DEFINITION = DefinitionView(
    "shop", "greet", "1.0.0", "Greet", None, AT, {"document": {"name": "greet"}}, YAML, "application/yaml"
)
FUNCTION = FunctionView("greet", "1.0.0", False, AT, {"set": {"a": 1}}, "set: {a: 1} # so\n", "application/yaml")
TASK = HumanTaskView(
    ID, ID, ID, "Sure?", None, "open", None, (), (), (), ("approved",), None, None, None, None, AT, None
)

LEASE = LeaseView(ID, AT)
JOB = JobView(ID, ID, ID, "pack", {"n": 1}, 1, 0, f"{ID}/{ID}", "00-a-b-01", LEASE)
SCHEDULE = ScheduleView(
    id=ID,
    definition=DefinitionReference("shop", "greet", "1.0.0"),
    kind="cron",
    expression="@daily",
    timezone="UTC",
    overlap="allow",
    catch_up="latest",
    paused=False,
    next=AT,
    last=LastRun(AT, ID),
    queued=0,
    since=AT,
)

WEBHOOK = WebhookView(ID, "https://a.example", None, WebhookFilterView(), True, None, None, AT, "ops", AT)
DELIVERY = DeliveryView(ID, ID, "a/1", "t", "pending", 0, AT, AT, None, None, None, None)


class EdgePlatform:
    """Remembers what it was asked, answers the same every time, or raises `error`."""

    def __init__(self):
        self.calls = []
        self.error = None
        self.created = True
        self.history_entries = []
        self.ended = False
        self.checks = {"database": "ok", "broker": "ok"}

    def _asked(self, name, *arguments):
        self.calls.append((name, *arguments))
        if self.error is not None:
            raise self.error

    async def register_definition(self, who, source, media_type, *, dry_run=False):
        self._asked("register_definition", source, media_type, dry_run)
        return Registration(self.created, DEFINITION, (Warning_("/do/0", "not built yet", 3, 5),))

    async def list_definitions(self, who, *, limit, cursor):
        self._asked("list_definitions", limit, cursor)
        return Page([DEFINITION], "bmV4dA")

    async def list_versions(self, who, namespace, name, *, limit, cursor):
        self._asked("list_versions", namespace, name)
        return Page([DEFINITION], None)

    async def get_definition(self, who, namespace, name, version):
        self._asked("get_definition", namespace, name, version)
        return DEFINITION

    async def register_function(self, who, name, version, source, media_type, *, dry_run=False):
        self._asked("register_function", name, version, source, media_type, dry_run)
        return FunctionRegistration(self.created, FUNCTION, (Warning_("/call", "not built yet", 1, 1),))

    async def list_functions(self, who, *, limit, cursor):
        self._asked("list_functions", limit, cursor)
        return Page([FUNCTION], None)

    async def get_function(self, who, name, version):
        self._asked("get_function", name, version)
        return FUNCTION

    async def start(self, who, request, *, idempotency_key=None, awaited=False):
        self._asked("start", who, request, idempotency_key)
        return Started(self.created, PROCESS)

    async def start_batch(self, who, requests):
        self._asked("start_batch", requests)
        return [PROCESS for _ in requests]

    async def get_process(self, who, process, *, eventual=False):
        self._asked("get_process", process)
        return PROCESS

    async def wait_process(self, who, process, seconds):
        self._asked("wait_process", process, seconds)
        return PROCESS

    async def list_processes(self, who, filter_, *, limit, cursor, eventual=False):
        self._asked("list_processes", filter_, limit, cursor)
        return Page([PROCESS], None)

    async def activities(self, who, process, *, limit, cursor, eventual=False):
        self._asked("activities", process)
        return Page[ActivityView]([], None)

    async def history(self, who, process, *, limit, cursor, eventual=False):
        self._asked("history", process)
        return Page(self.history_entries, None)

    async def history_after(self, who, process, sequence, *, limit):
        self._asked("history_after", process, sequence)
        return [entry for entry in self.history_entries if entry.sequence > sequence][:limit], self.ended

    async def command(self, who, process, command, reason):
        self._asked("command", process, command, reason)
        return PROCESS

    async def why(self, who, process):
        self._asked("why", process)
        return WhyView(process, "waiting", "Waiting.", 0, ())

    async def examine(self, who, request):
        self._asked("examine", request)
        return ExaminedView(0, (), None)

    async def receive_events(self, who, events):
        self._asked("receive_events", events)

    async def receive_callback(self, token, body):
        self._asked("receive_callback", token, body)

    async def list_human_tasks(self, who, filter_, *, limit, cursor):
        self._asked("list_human_tasks", filter_)
        return Page([TASK], None)

    async def get_human_task(self, who, task):
        self._asked("get_human_task", task)
        return TASK

    async def claim(self, who, task, user):
        self._asked("claim", user)
        return TASK

    async def release(self, who, task, user):
        self._asked("release", user)
        return TASK

    async def delegate(self, who, task, user, to):
        self._asked("delegate", user, to)
        return TASK

    async def complete(self, who, task, user, outcome, comment, data):
        self._asked("complete", user, outcome, comment, data)
        return TASK

    async def activate_jobs(self, who, request):
        self._asked("activate_jobs", request)
        return [JOB]

    async def complete_job(self, who, job, lease, output):
        self._asked("complete_job", job, lease, output)

    async def fail_job(self, who, job, lease, error, *, retryable):
        self._asked("fail_job", job, lease, error, retryable)
        return JobRetry(AT if retryable else None)

    async def release_job(self, who, job, lease):
        self._asked("release_job", job, lease)

    async def extend_job(self, who, job, lease, progress):
        self._asked("extend_job", job, lease, progress)
        return LEASE

    async def list_schedules(self, who, *, limit, cursor):
        self._asked("list_schedules", limit, cursor)
        return Page([SCHEDULE], None)

    async def get_schedule(self, who, schedule):
        self._asked("get_schedule", schedule)
        return SCHEDULE

    async def schedule_history(self, who, schedule, *, limit, cursor):
        self._asked("schedule_history", schedule)
        return Page([ScheduleEntryView(AT, "ops", "paused", {})], None)

    async def pause_schedule(self, who, schedule, reason):
        self._asked("pause_schedule", reason)
        return SCHEDULE

    async def resume_schedule(self, who, schedule, reason):
        self._asked("resume_schedule", reason)
        return SCHEDULE

    async def trigger_schedule(self, who, schedule, reason, **given):
        self._asked("trigger_schedule", reason, given)
        return PROCESS

    async def backfill_schedule(self, who, schedule, first, last, reason):
        self._asked("backfill_schedule", first, last, reason)
        return BackfillView(1, 0, [ID])

    async def create_webhook(self, who, request):
        self._asked("create_webhook", request)
        return WEBHOOK, "whsec_c2VjcmV0"

    async def list_webhooks(self, who, *, limit, cursor):
        self._asked("list_webhooks", limit, cursor)
        return Page([WEBHOOK], None)

    async def get_webhook(self, who, webhook):
        self._asked("get_webhook", webhook)
        return WEBHOOK

    async def change_webhook(self, who, webhook, fields):
        self._asked("change_webhook", fields)
        return WEBHOOK

    async def remove_webhook(self, who, webhook):
        self._asked("remove_webhook", webhook)

    async def test_webhook(self, who, webhook):
        self._asked("test_webhook", webhook)
        return DELIVERY

    async def list_deliveries(self, who, webhook, status, *, limit, cursor):
        self._asked("list_deliveries", status)
        return Page([DELIVERY], None)

    async def redeliver(self, who, webhook, delivery):
        self._asked("redeliver", delivery)
        return DELIVERY

    async def create_key(self, name, tenant, role):
        raise NotImplementedError("keys are made by the command line")

    async def list_keys(self) -> list[KeyView]:
        return []

    async def revoke_key(self, key):
        raise NotImplementedError("keys are revoked by the command line")

    async def authenticate(self, key):
        return Principal("ops", "default", "admin") if key == KEY else None

    async def ready(self):
        return self.checks


def entry(sequence):
    return HistoryView(sequence, AT, "io.serverlessworkflow.task.started.v1", ID, "perdure", {"n": sequence})
