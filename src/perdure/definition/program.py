"""A definition compiled for the engine: what each task says, with its expressions found and names resolved.

A program is immutable and shared by all processes of its definition version.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, TypeAlias

from perdure.codec import Json
from perdure.definition.template import Expression, Template

Kind: TypeAlias = Literal["call", "do", "emit", "for", "fork", "listen", "raise", "run", "set", "switch", "try", "wait"]
"""What a task is."""


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time that is known from the definition.

    Months and years of ISO 8601 are kept apart, as their length depends on the calendar.
    """

    months: int = 0
    seconds: float = 0.0


DurationTemplate: TypeAlias = Duration | Template
"""A duration, or a template that yields an ISO 8601 string or an object like ``{minutes: 5}``."""


@dataclass(frozen=True, slots=True)
class Schema:
    """An inline JSON Schema (DSL, "Schema").

    `validate` answers the violations as ``(pointer into the value, message)``, empty when it fits.
    """

    document: Json
    validate: Any  # Callable[[Json], list[tuple[str, str]]]
    unavailable: str | None = None
    """Why it can't be used: validating by it is a configuration error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What every task has (DSL, "Task")."""

    kind: ClassVar[Kind]

    index: int
    """Position of the task in `Program.tasks`, stable for one compiled definition version."""
    name: str
    reference: str
    """JSON Pointer of the task, for example ``/do/1/pay/try/0/charge``."""
    definition: Mapping[str, Json]
    """The task as the author wrote it (decoded JSON), for ``$task.definition``."""
    condition: Expression | None = None
    input_schema: Schema | None = None
    input_from: Template | None = None
    output_schema: Schema | None = None
    output_as: Template | None = None
    export_schema: Schema | None = None
    export_as: Template | None = None
    timeout: DurationTemplate | None = None
    then: str = "continue"
    """``continue``, ``exit``, ``end``, or the name of a task in the same scope."""
    metadata: Mapping[str, Json] = field(default_factory=dict)
    unavailable: str | None = None
    """Why it can't be performed: beginning it is a configuration error."""
    extended: bool = False
    """Whether it stands within the `Extended` task that runs extensions around it."""
    extending: bool = False
    """Whether it belongs to an extension, so that ``$task`` describes the task that is extended."""


@dataclass(frozen=True, slots=True)
class Scope:
    """A list of tasks performed one after another (or, for a fork, beside each other)."""

    tasks: tuple[Task, ...]
    positions: Mapping[str, int]
    """Task name to position in `tasks`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Do(Task):
    kind: ClassVar[Kind] = "do"
    body: Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Set(Task):
    kind: ClassVar[Kind] = "set"
    value: Template


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    when: Expression | None
    then: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch(Task):
    """The default case (without `when`), wherever it stands, is tried last."""

    kind: ClassVar[Kind] = "switch"
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class For(Task):
    kind: ClassVar[Kind] = "for"
    each: str
    at: str
    collection: Expression
    while_: Expression | None
    body: Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork(Task):
    kind: ClassVar[Kind] = "fork"
    branches: Scope
    compete: bool


@dataclass(frozen=True, slots=True)
class Backoff:
    """``constant``, ``linear`` or ``exponential``; `parameters` are what the definition says of it, if anything."""

    shape: str
    parameters: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """DSL, "Retry". References into ``use.retries`` are already resolved."""

    when: Expression | None = None
    except_when: Expression | None = None
    delay: DurationTemplate | None = None
    backoff: Backoff | None = None
    attempt_count: int | None = None
    attempt_duration: DurationTemplate | None = None
    duration: DurationTemplate | None = None
    jitter_from: DurationTemplate | None = None
    jitter_to: DurationTemplate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Catch:
    """What a try task catches, and what it does then."""

    filter: Mapping[str, Json]
    """Static values of ``catch.errors.with``: type, status, instance, title, details; empty for all."""
    as_: str = "error"
    when: Expression | None = None
    except_when: Expression | None = None
    retry: RetryPolicy | None = None
    body: Scope | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Try(Task):
    kind: ClassVar[Kind] = "try"
    body: Scope
    catch: Catch


@dataclass(frozen=True, slots=True, kw_only=True)
class Raise(Task):
    kind: ClassVar[Kind] = "raise"
    error: Template
    """An object with type, status and perhaps title, detail, instance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait(Task):
    kind: ClassVar[Kind] = "wait"
    duration: DurationTemplate


@dataclass(frozen=True, slots=True, kw_only=True)
class Emit(Task):
    kind: ClassVar[Kind] = "emit"
    event: Template
    """An object of CloudEvents attributes and ``data``."""


@dataclass(frozen=True, slots=True)
class Correlation:
    name: str
    from_: Expression
    expect: Template | None


@dataclass(frozen=True, slots=True)
class EventFilter:
    """DSL, "Event Filter". `attributes` maps each attribute (``data`` included) to a literal, which must
    equal the event's value or match it as a regular expression, or to an expression: for ``data`` it is a
    condition on the event's data, for others a condition on, or the value of, that attribute.
    """

    attributes: Mapping[str, Template]
    correlations: tuple[Correlation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """DSL, "Event Consumption Strategy". `mode` is ``one``, ``any`` or ``all``.

    An empty `filters` with ``any`` consumes every event. `until` is an expression over what has been
    consumed, a strategy whose events end the listening, or None.
    """

    mode: str
    filters: tuple[EventFilter, ...]
    until: "Expression | Strategy | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Iterator:
    """DSL, "Subscription Iterator"."""

    item: str = "item"
    at: str = "index"
    body: Scope | None = None
    output_schema: Schema | None = None
    output_as: Template | None = None
    export_schema: Schema | None = None
    export_as: Template | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen(Task):
    kind: ClassVar[Kind] = "listen"
    strategy: Strategy
    read: str = "data"
    foreach: Iterator | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InDoubt:
    """What becomes of a call of which nobody knows whether it was made: ``metadata.inDoubt`` of its task.

    `policy` is ``retry``, ``verify`` or ``ask``. `lookup` holds the arguments of the HTTP call that ``verify`` makes;
    `done` and `output` are evaluated over its answer. `question` says more about whom ``ask`` asks.
    """

    policy: str = "retry"
    lookup: Template | None = None
    done: Expression | None = None
    output: Template | None = None
    question: Template | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Task):
    """A call whose arguments the engine evaluates and an activity performs.

    `function` is ``http``, or a function of the default catalog without version and catalog
    (``human-task``, ``callback``). `arguments` is the whole ``with``. For ``http``, the endpoint's
    ``use`` of a named authentication is already replaced by that policy.
    """

    kind: ClassVar[Kind] = "call"
    function: str
    arguments: Template
    in_doubt: InDoubt = InDoubt()


@dataclass(frozen=True, slots=True, kw_only=True)
class CallMap(Task):
    """``map`` of the default catalog: one child process for each of the items that `arguments` yield."""

    kind: ClassVar[Kind] = "call"
    arguments: Template


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFunction(Task):
    """A call of a function that is itself a task (DSL reference, "Call", custom functions).

    `function` is its key in `Program.functions`. `arguments` is the whole ``with``: the function's input.
    """

    kind: ClassVar[Kind] = "call"
    function: str
    arguments: Template


@dataclass(frozen=True, slots=True)
class Extension:
    """DSL, "Extension": what runs around the tasks that it extends."""

    name: str
    when: Expression | None
    before: Scope
    after: Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Extended(Task):
    """Stands for a task that extensions apply to, under its name and reference: runs them around `body`.

    `body` is that task alone. `extensions` are indices into `Program.extensions`, the outermost first.
    """

    kind: ClassVar[Kind] = "do"  # never told: it is no activity of its own
    extensions: tuple[int, ...]
    body: Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSubscription(Task):
    """``call: asyncapi`` with a ``subscription`` (DSL reference, "AsyncAPI Subscription").

    `arguments` are those of the call without the subscription. Exactly one of `amount`, `while_` and `until`
    says when enough has been consumed; `for_` bounds the time.
    """

    kind: ClassVar[Kind] = "call"
    arguments: Template
    filter: Expression | None = None
    amount: int | None = None
    while_: Expression | None = None
    until: Expression | None = None
    for_: DurationTemplate | None = None
    foreach: Iterator | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunWorkflow(Task):
    kind: ClassVar[Kind] = "run"
    namespace: str
    workflow: str
    version: str
    """An exact version, or ``latest``."""
    input: Template | None
    await_: bool
    return_: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunProgram(Task):
    """``run: container``, ``script`` or ``shell``: a program outside, whose `arguments` the engine evaluates."""

    kind: ClassVar[Kind] = "run"
    what: str
    """``container``, ``script`` or ``shell``."""
    arguments: Template
    await_: bool
    return_: str
    in_doubt: InDoubt = InDoubt()


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """DSL, "Schedule", with what ``document.metadata.perdure.schedule`` says of it."""

    every: Duration | None = None
    cron: str | None = None
    """Five fields."""
    after: Duration | None = None
    on: Strategy | None = None
    timezone: str = "UTC"
    overlap: str = "allow"
    """``allow``, ``skip`` or ``queue``: what a tick means while an earlier run goes on."""
    catch_up: str = "latest"
    """``latest``, ``all`` or ``none``: which of the ticks that an outage swallowed are run after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One definition version, ready to run."""

    namespace: str
    name: str
    version: str
    document: Mapping[str, Json]
    """The whole definition as decoded JSON, for ``$workflow.definition``."""
    body: Scope
    """The tasks of the top-level ``do``."""
    tasks: tuple[Task, ...]
    """Every task; `Task.index` points into it. In document order, with what is called or runs around others
    after that, and pinned functions last, in the order in which they were pinned: so an index never changes."""
    expressions: tuple[Expression, ...]
    """Every expression, so that registration can check their syntax."""
    functions: Mapping[str, Scope] = field(default_factory=dict)
    """The functions that can be called, each a scope of one task: those of ``use.functions`` by their names, those
    of catalogs and at URIs as they are called."""
    extensions: tuple[Extension, ...] = ()
    missing: frozenset[str] = frozenset()
    """Functions that are called but were not pinned."""
    input_schema: Schema | None = None
    input_from: Template | None = None
    output_schema: Schema | None = None
    output_as: Template | None = None
    timeout: DurationTemplate | None = None
    unavailable: str | None = None
    """Why its processes can't run at all: they fault at their start with a configuration error."""
    secrets: frozenset[str] = frozenset()
    """Names that ``use.secrets`` lists; no other secret may be asked for."""
    schedule: Schedule | None = None
