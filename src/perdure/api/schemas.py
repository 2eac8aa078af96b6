"""The schemas of the OpenAPI document: made from the structs that are sent, with what their types can't say."""

from typing import Any, Final, get_args

import msgspec

from perdure.api import examples, models
from perdure.codec import Json
from perdure.definition.program import Kind
from perdure.engine import attributes
from perdure.engine.draft import PERDURE
from perdure.engine.errors import Error
from perdure.engine.step import Reason, Waiting
from perdure.engine.wake_ups import Kind as WakeUpKind
from perdure.runtime import views

STATUSES: Final = ("pending", "running", "waiting", "suspended", "cancelled", "faulted", "completed")
ACTIVITY_STATUSES: Final = (*STATUSES, "skipped")
TASK_STATUSES: Final = ("open", "claimed", "completed", "cancelled")

_RENAMED: Final = {
    "ProcessView": "Process",
    "ActivityView": "Activity",
    "HistoryView": "HistoryEntry",
    "HumanTaskView": "HumanTask",
    "Waiting": "WaitingFor",
    "JobView": "Job",
    "LeaseView": "Lease",
    "ScheduleView": "Schedule",
    "ScheduleEntryView": "ScheduleEntry",
    "BackfillView": "Backfilled",
    "WhyView": "Why",
    "WaitView": "Wait",
    "WakeUpView": "WakeUp",
    "ExaminedView": "Examined",
    "FindingView": "Finding",
    "WebhookView": "Webhook",
    "WebhookFilterView": "WebhookFilterSet",
    "DeliveryView": "Delivery",
}

_ANY: Final[Json] = {"description": "Any JSON value."}
_PROBLEM_ERRORS: Final[Json] = {
    "type": "array",
    "description": "Everything found to be wrong, with its place.",
    "items": {
        "type": "object",
        "required": ["detail"],
        "properties": {
            "pointer": {"type": "string", "description": "JSON Pointer (RFC 6901) into the body."},
            "parameter": {"type": "string", "description": "The query parameter or header meant."},
            "detail": {"type": "string"},
            "line": {"type": "integer", "minimum": 1},
            "column": {"type": "integer", "minimum": 1},
        },
    },
}

_PROBLEM: Final[Json] = {
    "type": "object",
    "description": "Problem details (RFC 9457).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "description": "`urn:perdure:problem:NAME`, one name per status."},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "What was expected, what was found, what to do."},
        "errors": _PROBLEM_ERRORS,
    },
}


def _attribute(name: str, *, optional: bool = False, **more: Json) -> Json:
    """A text of the length that it may have; who writes more than ASCII has fewer characters."""
    length = attributes.BYTES_MAX.get(name, attributes.OTHER_BYTES_MAX)
    kind: Json = ["string", "null"] if optional else "string"
    return {"type": kind, "minLength": 1, "maxLength": length, "pattern": models.NO_NUL, **more}


_CLOUD_EVENT: Final[Json] = {
    "type": "object",
    "description": "A CloudEvent 1.0 in its JSON format. Extension attributes are texts, booleans or integers. "
    "Null is as good as nothing (JSON Event Format, section 2.2). Lengths are counted in bytes of UTF-8.",
    "required": ["specversion", "id", "source", "type"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": _attribute("id"),
        "source": _attribute("source"),
        "type": _attribute("type"),
        "subject": _attribute("subject", optional=True),
        "time": {"type": ["string", "null"], "format": "date-time"},
        "datacontenttype": _attribute("datacontenttype", optional=True),
        "dataschema": _attribute("dataschema", optional=True, format="uri"),
        "data": _ANY,
    },
    "patternProperties": {
        "^(?!specversion$|id$|source$|type$|subject$|time$|datacontenttype$|dataschema$|data$)[a-z0-9]{1,64}$": {
            "type": ["string", "boolean", "integer", "null"],
            "maxLength": attributes.OTHER_BYTES_MAX,
            "pattern": models.NO_NUL,
            "minimum": -(2**31),
            "maximum": 2**31 - 1,
        }
    },
    "additionalProperties": False,
}

_REFINED: Final[dict[str, dict[str, Json]]] = {
    "Process": {
        "id": {"description": "UUIDv7: sorts by the time of the start."},
        "status": {"enum": list(STATUSES)},
        "key": {"description": "The caller's business key."},
        "error": {"description": "Why it faulted."},
        "waitingFor": {"description": "Each thing that a live branch waits for."},
    },
    "Activity": {
        "progress": {"description": "What the worker of its job reported last."},
        "parent": {"description": "The activity that it runs inside of."},
        "reference": {"description": "JSON Pointer of the task in its definition."},
        "kind": {"enum": list(get_args(Kind))},
        "iteration": {"description": "Loop indices, outermost first."},
        "status": {"enum": list(ACTIVITY_STATUSES), "description": "`skipped`: its `if` was false."},
        "attempt": {"description": "Counts from 1; retries raise it.", "minimum": 1},
    },
    "WaitingFor": {
        "reason": {"enum": list(get_args(Reason))},
        "until": {"description": "When it will be over by itself."},
        "timesOutAt": {"description": "When the first timeout ends the waiting, its own or an enclosing one."},
    },
    "Why": {
        "status": {"enum": list(STATUSES)},
        "sentence": {"description": "For people; times in UTC."},
        "total": {"description": "How many things it waits for."},
        "waits": {"description": "Of more than 100 the first."},
    },
    "Wait": {
        "reason": {"enum": list(get_args(Reason))},
        "wakeUps": {"description": "What is recorded that will end the waiting. Empty: nothing will."},
    },
    "WakeUp": {"kind": {"enum": list(get_args(WakeUpKind))}},
    "Finding": {
        "status": {"enum": list(STATUSES)},
        "missing": {"description": "What it waits for and is not recorded."},
        "explanation": {"description": "What was done, or why nothing was and what to do."},
    },
    "HistoryEntry": {
        "sequence": {"description": "Without gaps within its process.", "minimum": 1},
        "type": {"description": "A lifecycle event type of the DSL, or `dev.perdure.*` for the rest."},
        "actor": {
            "description": "Who did it.",
            "anyOf": [
                {"enum": [PERDURE], "description": "The platform itself."},
                {
                    "type": "string",
                    "minLength": 1,
                    "description": "The name of an API key (`dev` where an open development server asks for none), "
                    "or of the user for whom it acted.",
                },
            ],
            "type": None,
        },
    },
    "HumanTask": {
        "status": {"enum": list(TASK_STATUSES)},
        "form": {"description": "JSON Schema of what is to be entered, null where nothing is."},
        "output": {"description": "What the process gets: outcome, data, comment, by whom and when."},
    },
    "Job": {
        "id": {"description": "Also the activity's."},
        "attempt": {"description": "Counts from 1 and rises with every further try.", "minimum": 1},
        "idempotencyKey": {"description": "`PROCESS-ID/ACTIVITY-ID`: the same in every try, for the worker's calls."},
        "traceparent": {"description": "W3C Trace Context; the trace is the process."},
    },
    "Lease": {"token": {"description": "Proves the lease in every answer."}},
    "JobRetry": {"retryAt": {"description": "When the job is offered again; null where its failure is final."}},
    "Schedule": {
        "kind": {"enum": ["every", "cron", "after", "on"]},
        "expression": {"description": "As the definition has it: a duration, a cron expression, events."},
        "timezone": {"description": "Of `cron`."},
        "overlap": {
            "enum": ["allow", "skip", "queue"],
            "description": "What a tick means while an earlier run goes on.",
        },
        "catchUp": {
            "enum": ["latest", "all", "none"],
            "description": "Which ticks are run that came while no scheduler did.",
        },
        "next": {"description": "The next tick; null while it is paused or waits for something else than time."},
        "last": {"description": "The latest tick that started a process."},
        "queued": {"description": "Ticks that wait for an earlier run to end.", "minimum": 0},
        "since": {"description": "When the version was registered."},
    },
    "ScheduleEntry": {
        "action": {
            "enum": ["paused", "resumed", "triggered", "backfilled", "missed", "dropped"],
            "description": "`missed`: ticks that an outage swallowed; `dropped`: events given up.",
        },
    },
    "Webhook": {
        "disabledReason": {"description": "Why it gets nothing."},
        "failingSince": {"description": "When deliveries began to fail; null while they succeed."},
    },
    "Delivery": {
        "id": {"description": "What the receiver gets as `webhook-id`, at each attempt."},
        "event": {"description": "The event's id."},
        "status": {"enum": ["pending", "delivered", "failed"]},
        "attempts": {"minimum": 0},
        "responseStatus": {"description": "Of the last answer, if there was one."},
        "error": {"description": "Why the last attempt failed."},
    },
    "Error": {
        "type": {"description": "A URI; the DSL's own are under `https://serverlessworkflow.io/spec/1.0.0/errors/`."},
        "instance": {"description": "The reference of the task it comes from."},
    },
}

_EXAMPLES: Final[dict[str, Json]] = {
    "Process": examples.PROCESS,
    "Activity": examples.ACTIVITY,
    "HistoryEntry": examples.HISTORY,
    "HumanTask": examples.HUMAN_TASK,
    "Job": examples.JOB,
    "Definition": examples.DEFINITION,
    "Function": examples.FUNCTION,
    "StartProcess": examples.START,
    "CloudEvent": examples.CLOUD_EVENT,
    "Schedule": examples.SCHEDULE,
    "ScheduleEntry": examples.SCHEDULE_ENTRY,
    "Backfilled": examples.BACKFILLED,
    "Why": examples.WHY,
    "Examined": examples.EXAMINED,
    "Webhook": examples.WEBHOOK,
    "NewWebhook": examples.NEW_WEBHOOK,
    "CreateWebhook": examples.CREATE_WEBHOOK,
    "Delivery": examples.DELIVERY,
    "Problem": examples.INVALID,
}


def reference(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def page_of(name: str) -> Json:
    """The schema of one page of a list."""
    return {
        "type": "object",
        "required": ["items", "next"],
        "properties": {
            "items": {"type": "array", "items": reference(name)},
            "next": {
                "type": ["string", "null"],
                "description": "The `cursor` of the next page; null on the last.",
            },
        },
    }


def components() -> dict[str, Json]:
    """All schemas by name."""
    sent = [
        *(views.ProcessView, views.ActivityView, views.HistoryView, views.HumanTaskView, Waiting, Error),
        *(views.JobView, views.LeaseView, views.JobRetry, views.WebhookView, views.DeliveryView),
        *(views.ScheduleView, views.ScheduleEntryView, views.BackfillView, views.WhyView, views.ExaminedView),
    ]
    taken = [
        *(models.StartProcess, models.Reason, models.Act, models.Delegate, models.Complete),
        *(models.ActivateJobs, models.JobLease, models.CompleteJob, models.FailJob, models.Heartbeat),
        *(models.Examine, models.Trigger, models.Backfill, models.CreateWebhook, models.ChangeWebhook),
    ]
    _, made = msgspec.json.schema_components([*sent, *taken], ref_template="#/components/schemas/{name}")
    schemas = {_RENAMED.get(name, name): _finished(schema) for name, schema in made.items()}
    for name, properties in _REFINED.items():
        for property_, refinement in properties.items():
            schemas[name]["properties"][property_] = _refined(schemas[name]["properties"][property_], refinement)
    schemas |= {"Problem": _PROBLEM, "CloudEvent": _CLOUD_EVENT, **_made_by_hand()}
    for name, example in _EXAMPLES.items():
        schemas[name] = {**schemas[name], "examples": [example]}
    return dict(sorted(schemas.items()))


def _made_by_hand() -> dict[str, Json]:
    text = {"type": "string"}
    optional = {"type": ["string", "null"]}
    return {
        "Definition": {
            "type": "object",
            "description": "A registered definition version, without its document.",
            "required": ["namespace", "name", "version", "title", "summary", "createdAt"],
            "properties": {
                "namespace": text,
                "name": text,
                "version": {**text, "description": "Semantic version."},
                "title": optional,
                "summary": optional,
                "createdAt": {"type": "string", "format": "date-time"},
            },
        },
        "Function": {
            "type": "object",
            "description": "A function version of the default catalog, without its document.",
            "required": ["name", "version", "builtIn", "createdAt"],
            "properties": {
                "name": text,
                "version": {**text, "description": "Semantic version."},
                "builtIn": {"type": "boolean", "description": "Whether it is part of the platform."},
                "createdAt": {
                    "type": ["string", "null"],
                    "format": "date-time",
                    "description": "Null for one that is built in.",
                },
            },
        },
        "StartBatch": {
            "type": "object",
            "required": ["processes"],
            "additionalProperties": False,
            "properties": {
                "processes": {
                    "type": "array",
                    "maxItems": models.BATCH_MAX,
                    "items": reference("StartProcess"),
                }
            },
        },
        "NewWebhook": {
            "description": "A webhook with its secret, which is shown this once.",
            "allOf": [reference("Webhook")],
            "required": ["secret"],
            "properties": {"secret": text},
        },
        "Readiness": {
            "type": "object",
            "required": ["status", "checks"],
            "properties": {
                "status": {"enum": ["ok", "unavailable"]},
                "checks": {
                    "type": "object",
                    "description": "Per dependency `ok`, or what is wrong.",
                    "additionalProperties": text,
                },
            },
        },
    }


def _finished(schema: Json) -> Json:
    """With our names for the structs, and titles left out, which only repeat them."""
    if isinstance(schema, dict):
        return {
            key: _renamed(value) if key == "$ref" else _finished(value)
            for key, value in schema.items()
            if key != "title" or not isinstance(value, str)
        }
    return [_finished(item) for item in schema] if isinstance(schema, list) else schema


def _renamed(target: str) -> str:
    base, _, name = target.rpartition("/")
    return f"{base}/{_RENAMED.get(name, name)}"


def _refined(schema: Json, refinement: Json) -> Json:
    merged: dict[str, Any] = {**schema, **refinement}
    return {key: value for key, value in merged.items() if key != "type" or value is not None}
