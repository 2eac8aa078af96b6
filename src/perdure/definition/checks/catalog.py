"""Checks of the arguments of Perdure's functions in the default catalog."""

from collections.abc import Callable, Mapping

from perdure.codec import Json
from perdure.definition import interpolation
from perdure.definition.checks.report import Check, Report, described
from perdure.definition.checks.shapes import integer, members, word
from perdure.definition.checks.text import template, text
from perdure.definition.checks.values import duration, json_schema, texts_or_expression
from perdure.definition.pointers import child
from perdure.definition.template import Literal, variables_of

JOB_TYPE_CHARACTERS_MAX = 256
LEASE_SECONDS_MIN = 0.1
LEASE_SECONDS_MAX = 86_400.0
PRIORITY_MAX = 1_000_000_000

Arguments = Callable[[Check, Json, str, Report], None]
"""A check of a function's arguments that is given the check of an HTTP request."""


CONCURRENCY_MAX = 1000
"""How many child processes one ``map`` may have at once."""


def _outcomes(value: Json, pointer: str, report: Report) -> None:
    texts_or_expression(value, pointer, report)
    if not isinstance(value, list):
        return
    if not value:
        report.problem(pointer, "expected at least one outcome, found none")
    seen: set[str] = set()
    for index, outcome in enumerate(value):
        if isinstance(outcome, str) and outcome in seen:
            report.problem(child(pointer, index), f"expected different outcomes, found {described(outcome)} twice")
        elif isinstance(outcome, str):
            if not outcome.strip():
                report.problem(child(pointer, index), "expected an outcome, found an empty string")
            seen.add(outcome)


def _form(value: Json, pointer: str, report: Report) -> None:
    """A JSON Schema, or an expression that yields one."""
    if isinstance(value, str) and interpolation.OPENING in value:
        text(value, pointer, report)
        return
    if not isinstance(value, dict):
        report.expected("a JSON Schema, or an expression that yields one", value, pointer)
        return
    template(value, pointer, report)
    try:
        known = isinstance(interpolation.template_of(value, pointer), Literal)
    except interpolation.ExpressionMalformed:
        return
    if known:
        json_schema(value, pointer, report)


def _items(value: Json, pointer: str, report: Report) -> None:
    """An array, or an expression that yields one."""
    if isinstance(value, list):
        template(value, pointer, report)
    elif isinstance(value, str) and interpolation.OPENING in value:
        text(value, pointer, report)
    else:
        report.expected("an array, or an expression in ${ } that yields one", value, pointer)


def _or_expression(check: Check) -> Check:
    def checked(value: Json, pointer: str, report: Report) -> None:
        is_expression = isinstance(value, str) and interpolation.OPENING in value
        (text if is_expression else check)(value, pointer, report)

    return checked


_concurrency = _or_expression(integer(1, CONCURRENCY_MAX))
_on_error = _or_expression(word("fail", "collect"))

_NAMES = ("assignees", "candidateGroups", "excludeUsers", "outcomes", "escalateTo")
"""What people find and answer a human task by."""

_human_task_members = members(
    {"title": text},
    {
        "description": text,
        "assignees": texts_or_expression,
        "candidateGroups": texts_or_expression,
        "excludeUsers": texts_or_expression,
        "outcomes": _outcomes,
        "form": _form,
        "due": duration,
        "escalateTo": texts_or_expression,
    },
    what="the arguments of human-task",
)


def _human_task(request: Check, value: Json, pointer: str, report: Report) -> None:
    _human_task_members(value, pointer, report)
    if isinstance(value, dict) and "escalateTo" in value and "due" not in value:
        report.warn(child(pointer, "escalateTo"), 'without "due" the task is never escalated')
    for name in _NAMES:
        if isinstance(value, dict) and _mentions_secrets(value.get(name), pointer):
            report.warn(child(pointer, name), "a secret is shown as ***, so nobody can find or answer the task by it")


def _mentions_secrets(value: Json, pointer: str) -> bool:
    try:
        return "secrets" in variables_of(interpolation.template_of(value, pointer))
    except interpolation.ExpressionMalformed:  # a fault that is told of elsewhere
        return False


def _callback(request: Check, value: Json, pointer: str, report: Report) -> None:
    members(optional={"request": request}, what="the arguments of callback")(value, pointer, report)


_map_members = members(
    {
        "items": _items,
        "process": members({"namespace": text, "name": text, "version": text}, what="the process of map"),
    },
    {"concurrency": _concurrency, "onError": _on_error},
    what="the arguments of map",
)


def _map(request: Check, value: Json, pointer: str, report: Report) -> None:
    _map_members(value, pointer, report)


def _lease(value: Json, pointer: str, report: Report) -> None:
    """A duration, or a number of seconds."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        duration(value, pointer, report)
    elif not LEASE_SECONDS_MIN <= value <= LEASE_SECONDS_MAX:
        report.expected(f"{LEASE_SECONDS_MIN:g} to {LEASE_SECONDS_MAX:g} seconds", value, pointer)


def _priority(value: Json, pointer: str, report: Report) -> None:
    if isinstance(value, str) and interpolation.OPENING in value:
        text(value, pointer, report)
    else:
        integer(-PRIORITY_MAX, PRIORITY_MAX)(value, pointer, report)


def _type(value: Json, pointer: str, report: Report) -> None:
    text(value, pointer, report)
    if isinstance(value, str) and not value.strip():
        report.problem(pointer, "expected the type of the job, found an empty string")
    elif isinstance(value, str) and interpolation.OPENING not in value and len(value) > JOB_TYPE_CHARACTERS_MAX:
        report.problem(pointer, f"expected at most {JOB_TYPE_CHARACTERS_MAX} characters, found {len(value)}")


_job_members = members(
    {"type": _type},
    {"input": template, "lease": _lease, "priority": _priority},
    what="the arguments of job",
)


def _job(request: Check, value: Json, pointer: str, report: Report) -> None:
    _job_members(value, pointer, report)


FUNCTIONS: Mapping[str, Arguments] = {
    "human-task:1.0.0@default": _human_task,
    "callback:1.0.0@default": _callback,
    "map:1.0.0@default": _map,
    "job:1.0.0@default": _job,
}
"""The functions of the default catalog that can be run, as they are called."""
