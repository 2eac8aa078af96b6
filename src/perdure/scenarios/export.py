"""A scenario from a real process: its input, what the world answered, and what came of it.

What an activity's ``output.as`` made of an answer is known, the answer itself is not: such answers are exported as
`transformed`. Iterations and attempts become lists of answers, in the order in which they were asked for.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import yaml

from perdure.codec import Json
from perdure.definition.loader import compile_document
from perdure.definition.program import Call, CallMap, CallSubscription, Listen, Program, RunProgram, RunWorkflow, Task
from perdure.engine.draft import ENDED
from perdure.engine.process import TASK_FAULTED


class Unexportable(Exception):
    """The process can't be turned into a scenario; the message says why."""


def scenario_of(
    process: Mapping[str, Any], document: Json, activities: Sequence[Mapping[str, Any]], history: Sequence[Any]
) -> str:
    """The text of a scenario file. The arguments are as the API gives them. Raises `Unexportable`."""
    if process["status"] not in ENDED:
        raise Unexportable(f"Process {process['id']} is {process['status']}: only what has ended can be played again.")
    program = compile_document(document)
    tasks = {task.reference: task for task in program.tasks}
    faults = _faults(history)
    answers: dict[str, list[Json]] = {}
    for activity in activities:
        task = tasks[activity["reference"]]
        if _is_answered(task):
            answers.setdefault(task.reference, []).extend(_answers(task, activity, faults))
    scenario = {
        "name": f"process {process['id']}",
        "start": process["startedAt"] or process["createdAt"],
        "input": process["input"],
        "answers": answers,
        "events": list(_events(program, activities)),
        "expect": _expectation(process, activities),
    }
    scenario = {name: value for name, value in scenario.items() if value not in ({}, [])}
    return yaml.safe_dump({"definition": document, "scenarios": [scenario]}, sort_keys=False, allow_unicode=True)


def _is_answered(task: Task) -> bool:
    if isinstance(task, RunProgram):
        return task.await_
    return isinstance(task, Call | CallMap | CallSubscription | RunWorkflow)


def _answers(task: Task, activity: Mapping[str, Any], faults: Mapping[str, list[Json]]) -> Iterator[Json]:
    """Those to the failed attempts, then the one that counted."""
    for error in faults.get(activity["id"], ()):
        yield {"error": {name: value for name, value in error.items() if name != "instance"}}
    if isinstance(task, CallSubscription):
        yield from _messages(task, activity)
    elif activity["status"] == "completed":
        kind = "output" if task.output_as is None else "transformed"
        yield {kind: activity["output"], **_delay(activity)}
    elif activity["status"] != "faulted":
        yield {"never": True}


def _messages(task: CallSubscription, activity: Mapping[str, Any]) -> Iterator[Json]:
    """The messages that came, where nothing has become of them."""
    if activity["status"] == "faulted":
        return
    if task.foreach is not None or task.output_as is not None:
        raise Unexportable(f"What {task.reference} consumed is not known from what became of it.")
    yield {"output": activity["output"]} if activity["status"] == "completed" else {"never": True}


def _delay(activity: Mapping[str, Any]) -> dict[str, Json]:
    """How long the world took, in whole seconds."""
    if activity["startedAt"] is None or activity["endedAt"] is None:
        return {}
    took = datetime.fromisoformat(activity["endedAt"]) - datetime.fromisoformat(activity["startedAt"])
    seconds = round(took.total_seconds())
    return {"after": {"seconds": seconds}} if seconds else {}


def _faults(history: Sequence[Any]) -> dict[str, list[Json]]:
    """The errors of each activity's attempts."""
    faults: dict[str, list[Json]] = {}
    for entry in history:
        if entry["type"] == TASK_FAULTED and entry["activity"] is not None:
            faults.setdefault(entry["activity"], []).append(entry["data"]["error"])
    return faults


def _events(program: Program, activities: Sequence[Mapping[str, Any]]) -> Iterator[Json]:
    """What completed listen tasks consumed, as far as their outputs tell."""
    listens = {task.reference: task for task in program.tasks if isinstance(task, Listen)}
    for activity in activities:
        task = listens.get(activity["reference"])
        if task is None or activity["status"] != "completed" or task.output_as is not None:
            continue
        types = [_literal(filter_.attributes.get("type")) for filter_ in task.strategy.filters]
        for number, item in enumerate(activity["output"] if isinstance(activity["output"], list) else []):
            if task.read == "envelope":
                yield {name: item[name] for name in ("type", "source", "id", "data", "subject") if name in item}
            elif types and types[min(number, len(types) - 1)] is not None:
                yield {"type": types[min(number, len(types) - 1)], "data": item}


def _literal(template: Any) -> Json:
    return getattr(template, "value", None)


def _expectation(process: Mapping[str, Any], activities: Sequence[Mapping[str, Any]]) -> dict[str, Json]:
    path = [activity["reference"] for activity in activities if activity["startedAt"] is not None]
    expect: dict[str, Json] = {"status": process["status"], "path": path}
    if process["status"] == "completed":
        expect["output"] = process["output"]
    elif process["error"] is not None:
        expect["error"] = process["error"]
    return expect
