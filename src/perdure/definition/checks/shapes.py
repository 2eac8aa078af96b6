"""The shapes that checks are built from: objects with members, arrays, maps, words, numbers, choices."""

import re
from collections.abc import Collection, Iterable, Mapping

from perdure.codec import Json
from perdure.definition.checks.report import Check, Report, listed, nearest, quoted
from perdure.definition.pointers import child

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def members(
    required: Mapping[str, Check] | None = None,
    optional: Mapping[str, Check] | None = None,
    *,
    open_: bool = False,
    what: str = "an object",
) -> Check:
    """An object. In an open one, further members are only warned of."""
    required = required or {}
    known = {**required, **(optional or {})}

    def check(value: Json, pointer: str, report: Report) -> None:
        if not isinstance(value, dict):
            report.expected(what, value, pointer)
            return
        for key, item in value.items():
            inner = known.get(key)
            if inner is None:
                report.unknown(key, pointer, known, fault=not open_)
            else:
                inner(item, child(pointer, key), report)
        for key in required:
            if key not in value:
                strange = [name for name in value if name not in known]
                hint = f"; rename {quoted(close)}?" if (close := nearest(key, strange)) else ""
                report.problem(pointer, f"expected the property {quoted(key)}, which is missing{hint}")

    return check


def anything(value: Json, pointer: str, report: Report) -> None:
    """Any value."""


def object_(value: Json, pointer: str, report: Report) -> None:
    """Any object."""
    if not isinstance(value, dict):
        report.expected("an object", value, pointer)


def string(value: Json, pointer: str, report: Report) -> None:
    """A string; what is in it is not looked at."""
    if not isinstance(value, str):
        report.expected("a string", value, pointer, quotes_hint(value))


def boolean(value: Json, pointer: str, report: Report) -> None:
    if not isinstance(value, bool):
        hint = "remove the quotes" if value in ("true", "false") else ""
        report.expected("true or false", value, pointer, hint)


def quotes_hint(value: Json) -> str:
    return "put it in quotes" if isinstance(value, bool | int | float) else ""


def integer(minimum: int | None = None, maximum: int | None = None) -> Check:
    """A whole number within the bounds."""
    bounds = {
        (False, False): "",
        (True, False): f" not below {minimum}",
        (False, True): f" not above {maximum}",
        (True, True): f" from {minimum} to {maximum}",
    }[minimum is not None, maximum is not None]

    def check(value: Json, pointer: str, report: Report) -> None:
        whole = (isinstance(value, int) and not isinstance(value, bool)) or (
            isinstance(value, float) and value.is_integer()
        )
        if not whole or (minimum is not None and value < minimum) or (maximum is not None and value > maximum):
            report.expected(f"a whole number{bounds}", value, pointer)

    return check


def word(*words: str) -> Check:
    """One of these words."""

    def check(value: Json, pointer: str, report: Report) -> None:
        if not isinstance(value, str):
            report.expected(f"one of {listed(words)}", value, pointer)
        elif value not in words:
            report.expected_one_of(words, value, pointer)

    return check


def matching(pattern: str, what: str) -> Check:
    """A string that a regular expression matches as a whole."""
    compiled = re.compile(pattern)

    def check(value: Json, pointer: str, report: Report) -> None:
        if not isinstance(value, str) or not compiled.fullmatch(value):
            report.expected(what, value, pointer, quotes_hint(value))

    return check


def array(item: Check, *, minimum: int = 0, what: str = "an array") -> Check:
    def check(value: Json, pointer: str, report: Report) -> None:
        if not isinstance(value, list):
            report.expected(what, value, pointer)
            return
        if len(value) < minimum:
            report.problem(pointer, f"expected at least {minimum} item{'s' if minimum > 1 else ''}, found none")
        for index, element in enumerate(value):
            item(element, child(pointer, index), report)

    return check


def mapping(item: Check, what: str = "an object") -> Check:
    """An object with names of the author's choice."""

    def check(value: Json, pointer: str, report: Report) -> None:
        if not isinstance(value, dict):
            report.expected(what, value, pointer)
            return
        for key, element in value.items():
            if not key.strip():
                report.problem(child(pointer, key), "expected a name, found an empty one", at_key=True)
            item(element, child(pointer, key), report)

    return check


def variable(value: Json, pointer: str, report: Report) -> None:
    """The name of a variable of expressions, without ``$``."""
    if not isinstance(value, str):
        report.expected("the name of a variable", value, pointer, quotes_hint(value))
    elif not _NAME.fullmatch(value):
        hint = f"; write {quoted(value[1:])}" if value.startswith("$") and _NAME.fullmatch(value[1:]) else ""
        report.problem(
            pointer,
            "expected the name of a variable (letters, digits and _, not beginning with a digit), "
            f"found {quoted(value)}{hint}",
        )


def exactly_one(value: Mapping[str, Json], names: Collection[str], pointer: str, report: Report) -> str | None:
    """The one of these members that the object has; a fault if it has none or several."""
    present = [name for name in names if name in value]
    if len(present) == 1:
        return present[0]
    found = f"found {_joined(present)}" if present else "found none of them"
    report.problem(pointer, f"expected exactly one of {listed(names)}, {found}")
    return None


def _joined(names: Iterable[str]) -> str:
    return " and ".join(quoted(name) for name in names)
