"""Checks of what becomes of calls in doubt: ``metadata.inDoubt``, ``lookup`` and ``ask`` of a task."""

from collections.abc import Mapping

from perdure.codec import Json
from perdure.definition.checks.calls import http
from perdure.definition.checks.report import Check, Report, quoted
from perdure.definition.checks.shapes import members, object_, word
from perdure.definition.checks.text import expression, template, text
from perdure.definition.checks.values import duration, texts_or_expression
from perdure.definition.pointers import child

_policy = word("retry", "verify", "ask")

_lookup = members(
    {"with": http},
    {"call": word("http"), "done": expression, "output": template},
    what="the call that decides: with, and mostly done and output",
)
_ask = members(
    optional={
        "title": text,
        "description": text,
        "assignees": texts_or_expression,
        "candidateGroups": texts_or_expression,
        "excludeUsers": texts_or_expression,
        "due": duration,
        "escalateTo": texts_or_expression,
    },
    what="whom to ask",
)
_USED: Mapping[str, Mapping[str, Check]] = {"verify": {"lookup": _lookup, "ask": _ask}, "ask": {"ask": _ask}}
"""What each policy takes of the metadata, which are free apart from that."""

_CALLING = frozenset({"a2a", "asyncapi", "callback:1.0.0@default", "grpc", "http", "mcp", "openapi"})


def metadata(value: Json, pointer: str, report: Report) -> None:
    """``metadata`` of a task: free, but for what Perdure reads of it."""
    object_(value, pointer, report)
    if not isinstance(value, dict) or "inDoubt" not in value:
        return
    _policy(value["inDoubt"], child(pointer, "inDoubt"), report)
    policy = value["inDoubt"] if isinstance(value["inDoubt"], str) else ""
    for key, check in _USED.get(policy, {}).items():
        if key in value:
            check(value[key], child(pointer, key), report)
    if policy == "verify" and "lookup" not in value:
        report.problem(pointer, f'expected the property {quoted("lookup")} beside "inDoubt: verify", which is missing')


def effect(kind: str, task: Mapping[str, Json], pointer: str, report: Report) -> None:
    """Warn of ``inDoubt`` where it means nothing."""
    value = task.get("metadata")
    if not isinstance(value, dict) or value.get("inDoubt", "retry") == "retry":
        return
    place = child(child(pointer, "metadata"), "inDoubt")
    if kind == "call" and str(task["call"]) in _CALLING and not _subscribes(task):
        return
    if kind != "run" or not isinstance(task["run"], dict) or "workflow" in task["run"]:
        report.warn(place, "this task makes no call that could be in doubt: say it at the task that makes the call")
    elif task["run"].get("await") is False:
        report.warn(place, 'nobody waits for this program ("await: false"): in doubt, it is run again')


def _subscribes(task: Mapping[str, Json]) -> bool:
    arguments = task.get("with")
    return isinstance(arguments, dict) and "subscription" in arguments
