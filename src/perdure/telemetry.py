"""What the platform tells its operators: structured logs and Prometheus metrics.

Every metric is defined here, once, under its documented name (docs/api.md). Callers use the `record_*`
functions, or the objects themselves where there is nothing to translate. Ids of processes and activities
are bound by callers (`structlog.contextvars.bound_contextvars(process_id=…)`) and appear on every line.
Labels are closed lists: nothing that a user can name becomes a label.
"""

import logging
import re
import sys
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final, Protocol

import msgspec
import structlog
from prometheus_client import REGISTRY, Counter, Gauge, Histogram, exposition

from perdure import clock

FAST_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
LONG_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
COUNTS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)

# The API.
HTTP_REQUESTS: Final = Counter("perdure_http_requests_total", "Requests answered.", ("route", "method", "status"))
HTTP_REQUEST_SECONDS: Final = Histogram(
    "perdure_http_request_duration_seconds",
    "From the request's head to the end of its answer.",
    ("route", "method"),
    buckets=LONG_SECONDS,
)
HTTP_STREAMS: Final = Gauge("perdure_http_streams_open", "Live event streams being served.")

# Processes.
PROCESSES_STARTED: Final = Counter("perdure_processes_started_total", "Processes that began to run.")
PROCESSES_ENDED: Final = Counter("perdure_processes_ended_total", "Processes that ended.", ("status",))
ACTIVITIES_STARTED: Final = Counter("perdure_activities_started_total", "Activities that began to run.")
ACTIVITIES_ENDED: Final = Counter("perdure_activities_ended_total", "Activities that ended.", ("status",))
ACTIVITIES_RETRIED: Final = Counter("perdure_activities_retried_total", "Further attempts of activities.")

# Steps.
STEPS: Final = Counter("perdure_steps_total", "Steps committed, one per process and transaction.")
STEP_BATCH_PROCESSES: Final = Histogram(
    "perdure_step_batch_processes", "Processes advanced in one transaction.", buckets=COUNTS
)
STEP_BATCH_SECONDS: Final = Histogram(
    "perdure_step_batch_duration_seconds",
    "From lock to commit of one such transaction.",
    buckets=FAST_SECONDS,
)
FACTS_RECORDED: Final = Counter("perdure_facts_recorded_total", "Facts put into inboxes.", ("fact",))
FACTS_REFUSED: Final = Counter("perdure_facts_refused_total", "Late or duplicate facts, refused.")

# The world.
CALLS_IN_FLIGHT: Final = Gauge("perdure_calls_in_flight", "External calls being performed.")
CALLS: Final = Counter("perdure_calls_total", "External calls performed.", ("function", "outcome"))
CALL_SECONDS: Final = Histogram(
    "perdure_call_duration_seconds", "How long external calls took.", ("function",), buckets=LONG_SECONDS
)
CALLS_WAITING: Final = Gauge("perdure_calls_waiting", "External calls that wait for a host with a limit.")
CALL_WAIT_SECONDS: Final = Histogram(
    "perdure_call_wait_seconds", "How long external calls waited for hosts with limits.", buckets=LONG_SECONDS
)
TIMERS_FIRED: Final = Counter("perdure_timers_fired_total", "Timers fired.")
TIMER_LATE_SECONDS: Final = Histogram(
    "perdure_timer_lateness_seconds", "How long after they were due timers fired.", buckets=LONG_SECONDS
)
PROCESSES_STRANDED: Final = Counter(
    "perdure_processes_stranded_total", "Found to be waiting for what is not recorded, by what was done.", ("outcome",)
)
SCHEDULE_STARTS: Final = Counter("perdure_schedule_starts_total", "Processes that ticks of schedules started.")
LIFECYCLE_PUBLISHED: Final = Counter("perdure_lifecycle_events_published_total", "Lifecycle events sent to the broker.")
WEBHOOK_DELIVERIES: Final = Counter(
    "perdure_webhook_deliveries_total", "Attempts to deliver events to webhooks.", ("outcome",)
)
EVENTS_RECEIVED: Final = Counter("perdure_events_received_total", "CloudEvents taken in.")
EVENTS_PUBLISHED: Final = Counter("perdure_events_published_total", "CloudEvents published.", ("outcome",))
BROKER_PUBLISHES: Final = Counter(
    "perdure_broker_publishes_total", "Messages handed to the broker.", ("queue", "outcome")
)

# Expressions.
EXPRESSIONS: Final = Counter("perdure_expressions_total", "Expressions evaluated.", ("evaluator", "outcome"))
EXPRESSION_SECONDS: Final = Histogram(
    "perdure_expression_duration_seconds",
    "How long expressions took in the sandbox, its queue included.",
    ("evaluator",),
    buckets=FAST_SECONDS,
)

_DSL = "io.serverlessworkflow."
_BY_ENTRY: Final[Mapping[str, Counter]] = {
    f"{_DSL}workflow.started.v1": PROCESSES_STARTED,
    f"{_DSL}workflow.completed.v1": PROCESSES_ENDED.labels("completed"),
    f"{_DSL}workflow.faulted.v1": PROCESSES_ENDED.labels("faulted"),
    f"{_DSL}workflow.cancelled.v1": PROCESSES_ENDED.labels("cancelled"),
    f"{_DSL}task.started.v1": ACTIVITIES_STARTED,
    f"{_DSL}task.completed.v1": ACTIVITIES_ENDED.labels("completed"),
    f"{_DSL}task.faulted.v1": ACTIVITIES_ENDED.labels("faulted"),
    f"{_DSL}task.cancelled.v1": ACTIVITIES_ENDED.labels("cancelled"),
    f"{_DSL}task.retried.v1": ACTIVITIES_RETRIED,
    "dev.perdure.fact.refused": FACTS_REFUSED,
}
"""The audit trail says exactly once what happened, so it is what is counted."""


class _Entry(Protocol):
    @property
    def type(self) -> str: ...


class _Step(Protocol):
    @property
    def history(self) -> Sequence[_Entry]: ...


def record_batch(processes: int, seconds: float) -> None:
    """One transaction that advanced `processes`."""
    STEP_BATCH_PROCESSES.observe(processes)
    STEP_BATCH_SECONDS.observe(seconds)


def record_step(step: _Step) -> None:
    """One committed step of one process (`engine.step.Step`)."""
    STEPS.inc()
    seen: dict[str, int] = {}
    for entry in step.history:
        seen[entry.type] = seen.get(entry.type, 0) + 1
    for type_, count in seen.items():
        counter = _BY_ENTRY.get(type_)
        if counter is not None:
            counter.inc(count)


def record_facts(fact: str, count: int = 1) -> None:
    """Facts put into inboxes; `fact` is the name of the fact's type."""
    FACTS_RECORDED.labels(fact).inc(count)


@contextmanager
def call_in_flight(function: str, unmade: type[Exception]) -> Iterator[None]:
    """Around one external call: counts it while it lasts, then how it came out and how long it took.

    An exception makes the outcome ``failed``, or ``postponed`` if it is `unmade`, and passes.
    """
    started = clock.monotonic()
    outcome = "failed"
    CALLS_IN_FLIGHT.inc()
    try:
        yield
        outcome = "succeeded"
    except unmade:
        outcome = "postponed"
        raise
    finally:
        CALLS_IN_FLIGHT.dec()
        CALLS.labels(function, outcome).inc()
        CALL_SECONDS.labels(function).observe(clock.monotonic() - started)


@contextmanager
def call_waiting() -> Iterator[None]:
    """Around the wait of one external call for a host with a limit."""
    started = clock.monotonic()
    CALLS_WAITING.inc()
    try:
        yield
    finally:
        CALLS_WAITING.dec()
        CALL_WAIT_SECONDS.observe(clock.monotonic() - started)


def record_stranded(*, repaired: bool) -> None:
    """A process was found that nothing would have woken."""
    PROCESSES_STRANDED.labels("repaired" if repaired else "left").inc()


def record_timer(late_seconds: float) -> None:
    """A timer fired so many seconds after it was due."""
    TIMERS_FIRED.inc()
    TIMER_LATE_SECONDS.observe(max(late_seconds, 0.0))


def record_publish(queue: str, *, confirmed: bool) -> None:
    """A message for `queue` was confirmed by the broker, or not."""
    BROKER_PUBLISHES.labels(queue, "confirmed" if confirmed else "failed").inc()


def record_expressions(evaluator: str, *, failed: bool = False, count: int = 1, seconds: float = 0.0) -> None:
    """Expressions evaluated. `evaluator`: ``inline`` or ``sandbox``; inline ones are too short to time."""
    EXPRESSIONS.labels(evaluator, "failed" if failed else "ok").inc(count)
    if evaluator == "sandbox":
        EXPRESSION_SECONDS.labels(evaluator).observe(seconds)


def record_request(route: str, method: str, status: int, seconds: float) -> None:
    """One request answered; `route` is the path's template, never the path."""
    requests, duration = _request_metrics(route, method, status)
    requests.inc()
    duration.observe(seconds)


@lru_cache(maxsize=4_096)
def _request_metrics(route: str, method: str, status: int) -> tuple[Counter, Histogram]:
    return HTTP_REQUESTS.labels(route, method, status), HTTP_REQUEST_SECONDS.labels(route, method)


def metrics() -> tuple[bytes, str]:
    """Everything above in the Prometheus text format, and its media type."""
    return exposition.generate_latest(REGISTRY), exposition.CONTENT_TYPE_LATEST


# Logs.

REDACTED: Final = "***"
REDACTED_CHARACTERS_MIN: Final = 8
"""Shorter texts hold no URL or header with a secret."""
_SECRET_NAME: Final = re.compile(
    r"authorization|cookie|credential|password|passwd|secret|token|api[-_]?key", re.IGNORECASE
)
_URL_PASSWORD: Final = re.compile(r"(://[^\s/:@]*:)[^\s/@]+@")
_BEARER: Final = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9+/=._~-]{8,}")
_CALLBACK: Final = re.compile(r"(/v1/callbacks/)[A-Za-z0-9_~.%-]+")

_json = msgspec.json.Encoder(enc_hook=str)


def configure_logging(*, level: str = "info", format_: str = "auto") -> None:
    """Send all logs, those of libraries too, to standard error.

    `format_`: ``json``, one object per line; ``console``, for people; ``auto``, console on a terminal.
    Raises `ValueError` for another level or format.
    """
    number = _level(level)
    if format_ not in ("json", "console", "auto"):
        raise ValueError(f"PERDURE_LOG_FORMAT: expected json, console or auto; found {format_!r}")
    console = format_ == "console" or (format_ == "auto" and sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[*shared, *_rendering(console)],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=_StandardError,
        cache_logger_on_first_use=True,
    )
    _configure_library_logs(number, shared, console)


def _rendering(console: bool) -> list[structlog.typing.Processor]:
    # Exceptions become text before redaction, and never show local variables.
    renderer: structlog.typing.Processor = structlog.processors.JSONRenderer(_serialize)
    if console:
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            exception_formatter=structlog.dev.plain_traceback,
            timestamp_key="at",
        )
    return [structlog.processors.format_exc_info, redact, renderer]


def _configure_library_logs(number: int, shared: list[structlog.typing.Processor], console: bool) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendering(console)],
        )
    )
    root = logging.getLogger()
    for old in [old for old in root.handlers if isinstance(old.formatter, structlog.stdlib.ProcessorFormatter)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(max(number, logging.WARNING))


def _level(name: str) -> int:
    levels = {"debug": 10, "info": 20, "warning": 30, "error": 40}
    if name.lower() not in levels:
        raise ValueError(f"PERDURE_LOG_LEVEL: expected one of {', '.join(levels)}; found {name!r}")
    return levels[name.lower()]


class _StandardError:
    """Writes lines to what standard error is at that moment, each in one piece."""

    def __init__(self, *_: Any) -> None:
        pass

    def msg(self, message: str) -> None:
        sys.stderr.write(message + "\n")
        sys.stderr.flush()

    log = debug = info = warning = warn = error = err = critical = fatal = exception = failure = msg


def _serialize(event: Any, **_: Any) -> str:
    return _json.encode(event).decode()


def redact(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The last line of defence: callers do not log secrets, and what looks like one is replaced anyway."""
    for key, value in event.items():
        if _is_secret(key):
            event[key] = REDACTED
        elif isinstance(value, str) and len(value) >= REDACTED_CHARACTERS_MIN:
            event[key] = redact_text(value)
    return event


@lru_cache(maxsize=1000)
def _is_secret(key: str) -> bool:
    return _SECRET_NAME.search(key) is not None


def redact_text(text: str) -> str:
    """The text without passwords in URLs, credentials in headers and tokens in callback URLs."""
    if "://" in text:
        text = _URL_PASSWORD.sub(r"\1" + REDACTED + "@", text)
    if " " in text:
        text = _BEARER.sub(r"\1 " + REDACTED, text)
    if "/v1/callbacks/" in text:
        text = _CALLBACK.sub(r"\1" + REDACTED, text)
    return text
