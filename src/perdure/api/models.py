"""Request bodies as structs. They are the input check and, through their JSON Schema, the OpenAPI document."""

from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Meta

from perdure.codec import Json

NO_NUL = r"^[^\x00]*$"
"""PostgreSQL's text can't hold NUL characters."""

CHARACTERS_MAX = 256
TAGS_MAX = 32
BATCH_MAX = 1_000
JOBS_MAX = 1_000
DETAIL_CHARACTERS_MAX = 16_384

Text: TypeAlias = Annotated[str, Meta(min_length=1, max_length=CHARACTERS_MAX, pattern=NO_NUL)]
Long: TypeAlias = Annotated[str, Meta(max_length=4_000, pattern=NO_NUL)]
TagName: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64, pattern=NO_NUL)]
TagValue: TypeAlias = Annotated[str, Meta(max_length=CHARACTERS_MAX, pattern=NO_NUL)]
Tags: TypeAlias = Annotated[dict[TagName, TagValue], Meta(max_length=TAGS_MAX)]


class Model(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A request body."""


class DefinitionChoice(Model, frozen=True):
    """Which definition to run. Without `version`: the highest stable one."""

    namespace: Text
    name: Text
    version: Text | None = None


class StartProcess(Model, frozen=True):
    """A process to be started."""

    definition: DefinitionChoice
    input: Annotated[Any, Meta(description="Any JSON value.")] = msgspec.field(default_factory=dict)
    key: Annotated[
        Text | None, Meta(description="The caller's business key, for example an order number; searchable.")
    ] = None
    on_conflict: Annotated[
        Literal["allow", "existing", "reject"],
        Meta(
            description="What an unfinished process with the same definition name and key means: start another "
            "(`allow`), answer that one (`existing`), or refuse with 409 (`reject`)."
        ),
    ] = "allow"
    tags: Annotated[Tags | None, Meta(description="Names and values to find the process by.")] = None
    start_at: Annotated[
        Annotated[datetime, Meta(tz=True)] | None, Meta(description="Not before this time (RFC 3339).")
    ] = None


class StartBatch(Model, frozen=True):
    """Processes to be started together. Each is accepted or refused for itself."""

    processes: Annotated[list[msgspec.Raw], Meta(max_length=BATCH_MAX)]


class Reason(Model, frozen=True):
    """Why an operator acts; kept in the history."""

    reason: Long | None = None


class Act(Model, frozen=True):
    """For whom the caller acts; by default for the API key's name."""

    user: Text | None = None


class ActivateJobs(Model, frozen=True):
    """What a worker asks for."""

    type: Text
    max: Annotated[int, Meta(ge=1, le=JOBS_MAX, description="How many jobs at most.")] = 1
    lease: Annotated[
        Annotated[float, Meta(ge=0.1, le=86_400)] | None,
        Meta(description="Seconds for which they are nobody else's; left out: what the job's definition says."),
    ] = None
    wait: Annotated[float, Meta(ge=0, le=60, description="Seconds to wait for the first.")] = 0
    worker: Annotated[
        Text | None, Meta(description="The worker's name for the audit trail; by default the API key's.")
    ] = None


class JobProblem(msgspec.Struct, frozen=True):
    """Problem details (RFC 9457): what is to be raised in the process. Other members are not kept."""

    type: Annotated[str, Meta(min_length=1, max_length=1024, pattern=NO_NUL)] | None = None
    status: Annotated[int, Meta(ge=100, le=599)] | None = None
    title: Annotated[str, Meta(max_length=1024, pattern=NO_NUL)] | None = None
    detail: Annotated[str, Meta(max_length=DETAIL_CHARACTERS_MAX, pattern=NO_NUL)] | None = None


class JobLease(Model, frozen=True):
    """Proves that the caller has the job."""

    lease: Annotated[Text, Meta(description="The token of the lease.")]


class CompleteJob(Model, frozen=True):
    """The job is done."""

    lease: Annotated[Text, Meta(description="The token of the lease.")]
    output: Annotated[Json, Meta(description="Any JSON value: the output of the activity.")] = None


class FailJob(Model, frozen=True):
    """The job can't be done."""

    lease: Annotated[Text, Meta(description="The token of the lease.")]
    error: Annotated[
        JobProblem | Annotated[str, Meta(max_length=DETAIL_CHARACTERS_MAX, pattern=NO_NUL)],
        Meta(description="Problem details, or just words."),
    ]
    retryable: Annotated[
        bool,
        Meta(description="Whether another try may succeed: then the job is offered again after a growing pause."),
    ] = False


class Heartbeat(Model, frozen=True):
    """The worker is still at it."""

    lease: Annotated[Text, Meta(description="The token of the lease.")]
    progress: Annotated[Json, Meta(description="How far it is: any JSON value of up to 4 KiB.")] = None


class Delegate(Model, frozen=True):
    """Hand a human task to somebody else."""

    to: Text
    user: Text | None = None


class Complete(Model, frozen=True):
    """A person's decision."""

    outcome: Text
    comment: Long | None = None
    data: Annotated[Json, Meta(description="What was entered; must fit the task's form, if it has one.")] = None
    user: Text | None = None


Moment: TypeAlias = Annotated[datetime, Meta(tz=True, description="A time (RFC 3339).")]


class Trigger(Model, frozen=True):
    """Start a process of the schedule now."""

    input: Annotated[Any, Meta(description="Any JSON value; left out `{}`, for `on` `[]`.")] = msgspec.UNSET
    reason: Long | None = None


class Backfill(Model, frozen=True):
    """Start a process for each tick of a past range that has none."""

    from_: Moment = msgspec.field(name="from")
    to: Moment
    reason: Long | None = None


class Examine(Model, frozen=True):
    """Look for processes that nothing will wake."""

    process: Annotated[UUID | None, Meta(description="Only this one.")] = None
    after: Annotated[UUID | None, Meta(description="`next` of the request before.")] = None
    limit: Annotated[int, Meta(ge=1, le=1_000, description="How many processes to look at.")] = 500
    repair: Annotated[bool, Meta(description="Record again what follows from the state of a process alone.")] = False
    restart: Annotated[bool, Meta(description="For one process: begin anew what can't be had again otherwise.")] = False


Url: TypeAlias = Annotated[str, Meta(min_length=1, max_length=2_048, pattern=NO_NUL)]
Secret: TypeAlias = Annotated[str, Meta(min_length=1, max_length=200, pattern=NO_NUL)]
EventTypes: TypeAlias = Annotated[
    list[Annotated[str, Meta(min_length=1, max_length=255, pattern=NO_NUL)]],
    Meta(min_length=1, max_length=50),
]


class WebhookFilter(Model, frozen=True):
    """Which events a webhook gets; each member narrows further."""

    types: Annotated[
        EventTypes | None, Meta(description="Event types, `*` standing for any text in them; left out: all.")
    ] = None
    namespace: Annotated[Text | None, Meta(description="Of processes of this namespace only.")] = None
    name: Annotated[Text | None, Meta(description="Of processes of definitions of this name only.")] = None
    tags: Annotated[Tags | None, Meta(description="Of processes with these tags only.")] = None


class CreateWebhook(Model, frozen=True):
    """Whom to tell of what."""

    url: Annotated[Url, Meta(description="Where to: http or https.")]
    secret: Annotated[
        Secret | None,
        Meta(
            description="What signatures are made with: `whsec_` and base64 of 16 to 64 bytes, or plain text of that "
            "length, which is taken as it is. Left out, one is made."
        ),
    ] = None
    filter: WebhookFilter | None = None
    description: Long | None = None
    enabled: bool = True


class ChangeWebhook(Model, frozen=True):
    """What of a webhook is to change."""

    url: Url | msgspec.UnsetType = msgspec.UNSET
    secret: Secret | msgspec.UnsetType = msgspec.UNSET
    filter: WebhookFilter | msgspec.UnsetType = msgspec.UNSET
    description: Long | msgspec.UnsetType | None = msgspec.UNSET
    enabled: bool | msgspec.UnsetType = msgspec.UNSET
