"""Tasks and scopes."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from perdure.codec import Json
from perdure.definition import versions
from perdure.definition.compilation import arguments, doubts, events, extensions, faults
from perdure.definition.compilation.context import Context
from perdure.definition.interpolation import object_template
from perdure.definition.pins import function_missing
from perdure.definition.pointers import child
from perdure.definition.problems import unavailable
from perdure.definition.program import (
    Call,
    CallFunction,
    CallMap,
    CallSubscription,
    Case,
    Do,
    Emit,
    Extended,
    For,
    Fork,
    Iterator,
    Listen,
    Raise,
    RunProgram,
    RunWorkflow,
    Scope,
    Set,
    Switch,
    Task,
    Try,
    Wait,
)
from perdure.definition.template import Literal, Template
from perdure.definition.uses import BUILT_IN


def scope(context: Context, items: list[Mapping[str, Json]], pointer: str) -> Scope:
    """A list of tasks."""
    tasks = []
    for index, item in enumerate(items):
        ((name, value),) = item.items()
        tasks.append(_task(context, name, value, child(child(pointer, index), name)))
    return Scope(tuple(tasks), {task.name: position for position, task in enumerate(tasks)})


def single(context: Context, name: str, value: Mapping[str, Json], pointer: str) -> Scope:
    """A list of one task: what a function is."""
    return Scope((_task(context, name, value, pointer),), {name: 0})


def _task(context: Context, name: str, value: Mapping[str, Json], pointer: str) -> Task:
    kind = next(key for key in _COMPILERS if key in value)
    around = extensions.around(context, kind)
    if not around:
        return _plain(context, kind, name, value, pointer)
    index = context.reserve()
    inner = _plain(context, kind, name, value, pointer)
    wrapper = Extended(
        index=index,
        name=name,
        reference=pointer,
        definition=value,
        condition=inner.condition,
        then=inner.then,
        extending=inner.extending,
        extensions=around,
        body=Scope((replace(inner, condition=None, then="continue", extended=True),), {name: 0}),
    )
    context.place(wrapper)
    context.place(wrapper.body.tasks[0])
    return wrapper


def _plain(context: Context, kind: str, name: str, value: Mapping[str, Json], pointer: str) -> Task:
    index = context.reserve()
    task = _COMPILERS[kind](context, value, pointer, _common(context, index, name, value, pointer))
    context.place(task)
    return task


def _common(context: Context, index: int, name: str, value: Mapping[str, Json], pointer: str) -> dict[str, Any]:
    condition = context.optional_expression(value, "if", pointer)
    input_schema, input_from = context.data(value, "input", pointer, "from")
    output_schema, output_as = context.data(value, "output", pointer, "as")
    export_schema, export_as = context.data(value, "export", pointer, "as")
    return {
        "index": index,
        "name": name,
        "reference": pointer,
        "definition": value,
        "condition": condition,
        "input_schema": input_schema,
        "input_from": input_from,
        "output_schema": output_schema,
        "output_as": output_as,
        "export_schema": export_schema,
        "export_as": export_as,
        "timeout": context.timeout(value, pointer),
        "then": value.get("then", "continue"),
        "metadata": value.get("metadata", {}),
        "extending": context.extending is not None,
    }


def _do(context: Context, value: Mapping[str, Json], pointer: str, common: dict[str, Any]) -> Task:
    return Do(**common, body=scope(context, value["do"], f"{pointer}/do"))


def _set(context: Context, value: Mapping[str, Json], pointer: str, common: dict[str, Any]) -> Task:
    return Set(**common, value=context.expression_template(value["set"], f"{pointer}/set"))


def _switch(context: Context, value: Mapping[str, Json], pointer: str, common: dict[str, Any]) -> Task:
    cases = []
    for index, item in enumerate(value["switch"]):
        ((name, case),) = item.items()
        when = context.optional_expression(case, "when", child(f"{pointer}/switch/{index}", name))
        cases.append(Case(name, when, case["then"]))
    return Switch(**common, cases=tuple(cases))


def _for(context: Context, value: Mapping[str, Json], pointer: str, common: dict[str, Any]) -> Task:
    loop = value["for"]
    return For(
        **common,
        each=loop.get("each", "item"),
        at=loop.get("at", "index"),
        collection=context.expression(loop["in"], f"{pointer}/for/in"),
        while_=context.optional_expression(value, "while", pointer),
        body=scope(context, value["do"], f"{pointer}/do"),
    )


def _fork(context: Context, value: Mapping[str, Json], pointer: str, common: dict[str, Any]) -> Task:
    fork = value["fork"]
    return Fork(
        **common,
        branches=scope(context, fork["branches"], f"{pointer}/fork/branches"),
        compete=fork.get("compete", False),
    )


def _try(context: Context, value: Mapping[str, Json], pointer: str, common: dict[str, Any]) -> Task:
    body = scope(context, value["try"], f"{pointer}/try")
    place = f"{pointer}/catch"
    handler = scope(context, value["catch"]["do"], f"{place}/do") if "do" in value["catch"] else None
    return Try(**common, body=body, catch=faults.catch(context, value["catch"], place, handler))


def _raise(context: Context, value: Mapping[str, Json], pointer: str, common: dict[str, Any]) -> Task:
    return Raise(**common, error=faults.error(context, value["raise"]["error"], f"{pointer}/raise/error"))


def _wait(context: Context, value: Mapping[str, Json], pointer: str, common: dict[str, Any]) -> Task:
    return Wait(**common, duration=context.duration(value["wait"], f"{pointer}/wait"))


def _emit(context: Context, value: Mapping[str, Json], pointer: str, common: dict[str, Any]) -> Task:
    event = value["emit"]["event"].get("with", {})
    return Emit(**common, event=context.template(event, f"{pointer}/emit/event/with"))


def _listen(context: Context, value: Mapping[str, Json], pointer: str, common: dict[str, Any]) -> Task:
    listen = value["listen"]
    return Listen(
        **common,
        strategy=events.strategy(context, listen["to"], f"{pointer}/listen/to"),
        read=listen.get("read", "data"),
        foreach=_iterator(context, value["foreach"], f"{pointer}/foreach") if "foreach" in value else None,
    )


def _iterator(context: Context, value: Mapping[str, Json], pointer: str) -> Iterator:
    output_schema, output_as = context.data(value, "output", pointer, "as")
    export_schema, export_as = context.data(value, "export", pointer, "as")
    return Iterator(
        item=value.get("item", "item"),
        at=value.get("at", "index"),
        body=scope(context, value["do"], f"{pointer}/do") if "do" in value else None,
        output_schema=output_schema,
        output_as=output_as,
        export_schema=export_schema,
        export_as=export_as,
    )


def _call(context: Context, value: Mapping[str, Json], pointer: str, common: dict[str, Any]) -> Task:
    function = value["call"]
    if function == "asyncapi" and "subscription" in value["with"]:
        return _subscription(context, value["with"], f"{pointer}/with", common)
    given = arguments.of(context, value.get("with", {}), f"{pointer}/with")
    if function in BUILT_IN:
        return Call(**common, function=function, arguments=given, in_doubt=doubts.of(context, value, pointer))
    if function in context.uses.functions:
        context.called[function] = None
        return CallFunction(**common, function=function, arguments=given)
    platform = context.uses.platform_function(function)
    if platform == "map":
        return CallMap(**common, arguments=given)
    if platform is not None:
        return Call(**common, function=platform, arguments=given, in_doubt=doubts.of(context, value, pointer))
    if function not in context.pins.functions:
        context.missing.add(function)
        common["unavailable"] = unavailable(*function_missing(function))
    return CallFunction(**common, function=function, arguments=given)


def _subscription(context: Context, value: Mapping[str, Json], pointer: str, common: dict[str, Any]) -> Task:
    others = {name: item for name, item in value.items() if name != "subscription"}
    subscription, place = value["subscription"], f"{pointer}/subscription"
    consume = subscription["consume"]
    return CallSubscription(
        **common,
        arguments=arguments.of(context, others, pointer),
        filter=context.optional_expression(subscription, "filter", place),
        amount=None if "amount" not in consume else int(consume["amount"]),
        while_=context.optional_expression(consume, "while", f"{place}/consume"),
        until=context.optional_expression(consume, "until", f"{place}/consume"),
        for_=context.optional_duration(consume, "for", f"{place}/consume"),
        foreach=_iterator(context, subscription["foreach"], f"{place}/foreach") if "foreach" in subscription else None,
    )


def _run(context: Context, value: Mapping[str, Json], pointer: str, common: dict[str, Any]) -> Task:
    run = value["run"]
    if "workflow" not in run:
        common["in_doubt"] = doubts.of(context, value, pointer)
        return _run_program(context, run, f"{pointer}/run", common)
    workflow = run["workflow"]
    return RunWorkflow(
        **common,
        namespace=workflow["namespace"],
        workflow=workflow["name"],
        version=workflow.get("version", versions.LATEST),
        input=context.optional_template(workflow, "input", f"{pointer}/run/workflow"),
        await_=run.get("await", True),
        return_=run.get("return", "stdout"),
    )


def _run_program(context: Context, run: Mapping[str, Json], pointer: str, common: dict[str, Any]) -> Task:
    what = next(what for what in ("container", "script", "shell") if what in run)
    members: list[tuple[str, Template]] = []
    for key, item in run[what].items():
        place = child(f"{pointer}/{what}", key)
        if key in ("code", "language"):  # ${ } means something else there
            members.append((key, Literal(item)))
        elif key == "source":
            members.append((key, arguments.of(context, item, place)))
        else:
            members.append((key, context.template(item, place)))
    return RunProgram(
        **common,
        what=what,
        arguments=object_template(members),
        await_=run.get("await", True),
        return_=run.get("return", "stdout"),
    )


_COMPILERS: Mapping[str, Callable[[Context, Mapping[str, Json], str, dict[str, Any]], Task]] = {
    "call": _call,
    "emit": _emit,
    "for": _for,
    "fork": _fork,
    "listen": _listen,
    "raise": _raise,
    "run": _run,
    "set": _set,
    "switch": _switch,
    "try": _try,
    "wait": _wait,
    "do": _do,
}
"""By the key that makes a task one of its kind; ``do`` comes last, as a for loop has it too."""
