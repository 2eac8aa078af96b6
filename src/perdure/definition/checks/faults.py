"""Checks of errors, error filters, retry policies (DSL reference, "Error", "Catch", "Retry")."""

import re

from perdure.codec import Json
from perdure.definition.checks.report import Check, Report
from perdure.definition.checks.shapes import exactly_one, integer, members, object_, string, variable
from perdure.definition.checks.text import expression, is_known, text
from perdure.definition.checks.uris import uri
from perdure.definition.checks.values import declared, duration


def _instance(value: Json, pointer: str, report: Report) -> None:
    """A JSON Pointer, or an expression."""
    text(value, pointer, report)
    if is_known(value, report) and value and not value.startswith("/"):
        report.expected("a JSON Pointer, which begins with /, or an expression", value, pointer)


error: Check = members(
    {"type": uri, "status": integer()},
    {"instance": _instance, "title": text, "detail": text},
    what="an error with type and status",
)


def error_or_name(value: Json, pointer: str, report: Report) -> None:
    """An error in place, or the name of one under ``use.errors``."""
    if isinstance(value, str):
        declared(value, pointer, "errors", report)
    else:
        error(value, pointer, report)


_filter_members = members(
    optional={"type": string, "status": integer(), "instance": string, "title": string, "details": string},
    open_=True,
)


def error_filter(value: Json, pointer: str, report: Report) -> None:
    """``catch.errors.with``: at least one static value that errors must have."""
    _filter_members(value, pointer, report)
    if value == {}:
        report.problem(pointer, "expected at least one of type, status, instance, title, details; found none")


_ERROR_MEMBER = re.compile(r"(?<![\w\])}.?$\"])\.(?:type|status|title|detail|instance)\b")


def condition(value: Json, pointer: str, report: Report) -> None:
    """``when`` or ``exceptWhen`` of a catch or a retry policy. Some runtimes evaluate them on the error: an expression
    written for those would never hold here, and nobody would notice.
    """
    expression(value, pointer, report)
    if isinstance(value, str) and "$" not in value.replace("${", "") and (found := _ERROR_MEMBER.search(value)):
        report.warn(
            pointer, f"`.` is the input of the try task; the error is $error{found[0]}, or has the name that `as` gives"
        )


def _backoff(value: Json, pointer: str, report: Report) -> None:
    shapes = ("constant", "exponential", "linear")
    members(optional=dict.fromkeys(shapes, object_))(value, pointer, report)
    if isinstance(value, dict):
        exactly_one(value, shapes, pointer, report)


retry: Check = members(
    optional={
        "when": condition,
        "exceptWhen": condition,
        "delay": duration,
        "backoff": _backoff,
        "limit": members(
            optional={
                "attempt": members(optional={"count": integer(minimum=0), "duration": duration}),
                "duration": duration,
            }
        ),
        "jitter": members({"from": duration, "to": duration}),
    },
    what="a retry policy",
)


def retry_or_name(value: Json, pointer: str, report: Report) -> None:
    """A retry policy in place, or the name of one under ``use.retries``."""
    if isinstance(value, str):
        declared(value, pointer, "retries", report)
    else:
        retry(value, pointer, report)


def catch(tasks: Check) -> Check:
    """What a try task catches and does then; `tasks` checks a list of tasks."""
    return members(
        optional={
            "errors": members(optional={"with": error_filter}, open_=True),
            "as": variable,
            "when": condition,
            "exceptWhen": condition,
            "retry": retry_or_name,
            "do": tasks,
        }
    )
