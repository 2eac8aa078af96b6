"""Checks of tasks and lists of tasks (DSL reference, "Task")."""

from collections.abc import Mapping
from typing import TypeAlias

from perdure.codec import Json
from perdure.definition.checks import doubts
from perdure.definition.checks.calls import call
from perdure.definition.checks.events import distinct_variables, emitted, iterator, strategy
from perdure.definition.checks.faults import catch, error_or_name
from perdure.definition.checks.report import Check, Report, listed, quoted, suggestion
from perdure.definition.checks.runs import run
from perdure.definition.checks.shapes import anything, boolean, members, variable, word
from perdure.definition.checks.text import expression, expression_or_template
from perdure.definition.checks.values import duration, export, input_, output, timeout
from perdure.definition.pointers import child

DIRECTIVES = ("continue", "exit", "end")
"""What ``then`` may say beside the name of a task (DSL reference, "Flow Directive")."""

NAME_LENGTH_MAX = 256

Scope: TypeAlias = tuple[str, ...]
"""The names of the tasks that ``then`` may lead to."""


def task_list(value: Json, pointer: str, report: Report) -> None:
    """Tasks that follow each other, each under its name."""
    _tasks(value, pointer, report, sequential=True)


def _branches(value: Json, pointer: str, report: Report) -> None:
    """Tasks that run beside each other: none leads to another."""
    _tasks(value, pointer, report, sequential=False)


def _tasks(value: Json, pointer: str, report: Report, *, sequential: bool) -> None:
    if not isinstance(value, list):
        hint = "write each task as an item: - name: {…}" if isinstance(value, dict) else ""
        report.expected("an array of tasks", value, pointer, hint)
        return
    items = [_item(item, child(pointer, index), report) for index, item in enumerate(value)]
    names: dict[str, str] = {}
    for item in items:
        if item is not None:
            _check_name(*item, names, report)
    scope = tuple(names) if sequential else ()
    for item, entry in zip(items, value, strict=True):
        if item is not None:
            name, place = item
            task(entry[name], place, report, scope)


def _item(item: Json, pointer: str, report: Report) -> tuple[str, str] | None:
    """The name and the pointer of the task that an item of a list holds; None after a fault."""
    if not isinstance(item, dict):
        report.expected("a task under its name", item, pointer)
        return None
    if len(item) != 1:
        found = f"found {len(item)}: {listed(list(item)[:5])}" if item else "found none"
        hint = "; indent what belongs to the task below its name" if len(item) > 1 else ""
        report.problem(pointer, f"expected one property, the task under its name, {found}{hint}")
        return None
    name = next(iter(item))
    return name, child(pointer, name)


def _check_name(name: str, pointer: str, names: dict[str, str], report: Report) -> None:
    if not name.strip():
        report.problem(pointer, "expected the name of the task, found an empty one", at_key=True)
    elif len(name) > NAME_LENGTH_MAX:
        report.problem(pointer, f"expected a name of at most {NAME_LENGTH_MAX} characters", at_key=True)
    elif name in names:
        report.problem(
            pointer,
            f"expected different names in one list, found {quoted(name)} again (first at {names[name]})",
            at_key=True,
        )
    else:
        names[name] = pointer
    if name in DIRECTIVES:
        report.warn(pointer, f'"then: {name}" is the flow directive, it can\'t lead to this task', at_key=True)


def task(value: Json, pointer: str, report: Report, scope: Scope) -> None:
    """One task: what all have, and what its kind has."""
    report.count_task(pointer)
    if not isinstance(value, dict):
        report.expected("a task, which is an object", value, pointer)
        return
    kind = _kind(value, pointer, report)
    own = _KINDS[kind] if kind is not None else {}
    for key, item in value.items():
        check = own.get(key) or _COMMON.get(key)
        if check is not None:
            check(item, child(pointer, key), report)
        elif key == "then":
            directive(item, child(pointer, key), report, scope)
        elif kind is not None:
            report.unknown(key, pointer, (*own, *_COMMON, "then"), fault=True)
    if kind is not None:
        _require(kind, value, pointer, report, scope)


def _kind(value: Mapping[str, Json], pointer: str, report: Report) -> str | None:
    """The one key that says what kind of task it is; a for loop has ``do`` too."""
    present = [kind for kind in _KINDS if kind in value]
    if "for" in present and "do" in present:
        present.remove("do")
    if len(present) == 1:
        return present[0]
    if present:
        report.problem(pointer, f"expected one kind of task, found {' and '.join(quoted(k) for k in present)}")
        return None
    strange = [key for key in value if key not in _COMMON and key not in ("then", "with", "catch", "while", "foreach")]
    close = next((hint for hint in (suggestion(key, _KINDS) for key in strange) if hint), "")
    found = listed(strange[:5]) if strange else "none of them"
    report.problem(pointer, f"expected one of {listed(_KINDS)}, found {found}{close}")
    return None


def _require(kind: str, value: Mapping[str, Json], pointer: str, report: Report, scope: Scope) -> None:
    """What a kind needs beyond the checks of each property."""
    doubts.effect(kind, value, pointer, report)
    if kind == "call":
        _call(value, pointer, report)
    elif kind == "for" and "do" not in value:
        report.problem(pointer, 'expected the property "do", which is missing')
    elif kind == "try" and "catch" not in value:
        report.problem(pointer, 'expected the property "catch", which is missing')
    elif kind == "switch":
        _switch(value["switch"], child(pointer, "switch"), report, scope)


def directive(value: Json, pointer: str, report: Report, scope: Scope) -> None:
    """DSL reference, "Flow Directive": continue, exit, end, or a task of the same list."""
    if not isinstance(value, str):
        report.expected("continue, exit, end, or the name of a task in the same list", value, pointer)
    elif value not in DIRECTIVES and value not in scope:
        expected = "continue, exit, end, or a task of the same list"
        hint = suggestion(value, (*DIRECTIVES, *scope))
        report.problem(pointer, f"expected {expected}, found {quoted(value)}{hint}")


_case_members = members({"then": anything}, {"when": expression}, what="a case with then, and mostly when")


def _switch(value: Json, pointer: str, report: Report, scope: Scope) -> None:
    if not isinstance(value, list):
        report.expected("an array of cases", value, pointer)
        return
    if not value:
        report.problem(pointer, "expected at least one case, found none")
    default: str | None = None
    for index, item in enumerate(value):
        place = child(pointer, index)
        if not isinstance(item, dict) or len(item) != 1:
            found = f"found {len(item)} properties" if isinstance(item, dict) else "found something else"
            report.problem(place, f"expected one property, the case under its name, {found}")
            continue
        name, case = next(iter(item.items()))
        place = child(place, name)
        if not name.strip():
            report.problem(place, "expected the name of the case, found an empty one", at_key=True)
        _case_members(case, place, report)
        if not isinstance(case, dict):
            continue
        if "then" in case:
            directive(case["then"], child(place, "then"), report, scope)
        if "when" not in case:
            if default is not None:
                report.problem(
                    place, f"expected one default case, without when; {quoted(default)} is another", at_key=True
                )
            default = name


def _for(value: Json, pointer: str, report: Report) -> None:
    members({"in": expression}, {"each": variable, "at": variable})(value, pointer, report)
    distinct_variables(value, ("each", "item"), ("at", "index"), pointer, report)


def _set(value: Json, pointer: str, report: Report) -> None:
    if not isinstance(value, str | dict):
        report.expected("an object, or an expression", value, pointer)
    elif value == {}:
        report.problem(pointer, "expected at least one property to set, found none")
    else:
        expression_or_template(value, pointer, report)


_emit = members({"event": members(optional={"with": emitted}, open_=True)})
_fork = members({"branches": _branches}, {"compete": boolean})
_listen = members({"to": strategy}, {"read": word("data", "envelope", "raw")})
_raise = members({"error": error_or_name})

_COMMON: Mapping[str, Check] = {
    "if": expression,
    "input": input_,
    "output": output,
    "export": export,
    "timeout": timeout,
    "metadata": doubts.metadata,
}

_KINDS: Mapping[str, Mapping[str, Check]] = {
    "call": {"call": anything, "with": anything},
    "do": {"do": task_list},
    "emit": {"emit": _emit},
    "for": {"for": _for, "while": expression, "do": task_list},
    "fork": {"fork": _fork},
    "listen": {"listen": _listen, "foreach": iterator(task_list)},
    "raise": {"raise": _raise},
    "run": {"run": run},
    "set": {"set": _set},
    "switch": {"switch": anything},
    "try": {"try": task_list, "catch": catch(task_list)},
    "wait": {"wait": duration},
}

_call = call(task_list)
