"""The functions of the default catalog that the platform itself performs, as the catalog shows them.

Their documents say what goes in and what comes out, as those of other functions do; the work itself is not a task.
"""

from collections.abc import Mapping

from perdure.codec import Json
from perdure.definition.uses import PLATFORM_FUNCTIONS

_TEXT: Json = {"type": "string"}
_TEXTS: Json = {"type": "array", "items": _TEXT}
_DURATION: Json = {"description": "ISO 8601, or an object such as {seconds: 30}.", "type": ["string", "object"]}
_ANY: Json = {}


def _document(summary: str, required: list[str], properties: Mapping[str, Json], output: Json) -> Json:
    arguments = {"type": "object", "required": required, "properties": properties, "additionalProperties": False}
    return {
        "metadata": {"builtIn": True, "summary": summary},
        "input": {"schema": {"document": arguments}},
        "output": {"schema": {"document": output}},
    }


DOCUMENTS: Mapping[str, Json] = {
    "callback:1.0.0": _document(
        "Sends a request, if there is one, and waits until the callback URL is called.",
        [],
        {"request": {"type": "object", "description": "As the arguments of call: http; may use $callback.url."}},
        {"description": "The body that the callback URL was called with."},
    ),
    "human-task:1.0.0": _document(
        "Waits for a person's decision.",
        ["title"],
        {
            "title": _TEXT,
            "description": _TEXT,
            "assignees": _TEXTS,
            "candidateGroups": _TEXTS,
            "excludeUsers": _TEXTS,
            "outcomes": {**_TEXTS, "default": ["approved", "rejected"]},
            "form": {"type": ["object", "boolean"], "description": "A JSON Schema of what is to be entered."},
            "due": _DURATION,
            "escalateTo": _TEXTS,
        },
        {
            "type": "object",
            "required": ["outcome", "data", "comment", "completedBy", "completedAt"],
            "properties": {
                "outcome": _TEXT,
                "data": _ANY,
                "comment": {"type": ["string", "null"]},
                "completedBy": _TEXT,
                "completedAt": {"type": "string", "format": "date-time"},
            },
        },
    ),
    "job:1.0.0": _document(
        "Hands work to an external worker and waits for its result.",
        ["type"],
        {"type": _TEXT, "input": _ANY, "lease": _DURATION, "priority": {"type": "integer"}},
        {"description": "What the worker gave."},
    ),
    "map:1.0.0": _document(
        "Runs one child process per item, and waits for all of them.",
        ["items", "process"],
        {
            "items": {"type": "array"},
            "process": {
                "type": "object",
                "required": ["namespace", "name", "version"],
                "properties": {"namespace": _TEXT, "name": _TEXT, "version": _TEXT},
            },
            "concurrency": {"type": "integer", "minimum": 1},
            "onError": {"enum": ["fail", "collect"], "default": "fail"},
        },
        {"type": "array", "description": "The outputs of the child processes, in the order of the items."},
    ),
}
"""By name and version."""

NAMES = frozenset(function.partition(":")[0] for function in PLATFORM_FUNCTIONS)
"""Names that belong to the platform, in every version."""

assert DOCUMENTS.keys() == set(PLATFORM_FUNCTIONS)
