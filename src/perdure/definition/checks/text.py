"""Checks of strings with expressions, which also remember every expression."""

from perdure.codec import Json
from perdure.definition import interpolation
from perdure.definition.checks.report import Report, kind_of
from perdure.definition.checks.shapes import quotes_hint
from perdure.definition.pointers import child


def text(value: Json, pointer: str, report: Report) -> None:
    """A string that may contain expressions in ``${ }``."""
    if not isinstance(value, str):
        report.expected("a string", value, pointer, quotes_hint(value))
        return
    if report.foreign:
        return
    try:
        report.template(interpolation.text_template(value, pointer, loose=report.loose))
    except interpolation.ExpressionMalformed as error:
        report.problem(pointer, str(error))


def is_known(value: Json, report: Report) -> bool:
    """Whether it is a string without expressions, whose form can be checked beforehand."""
    return isinstance(value, str) and not report.loose and interpolation.OPENING not in value


def template(value: Json, pointer: str, report: Report) -> None:
    """Any value whose strings may contain expressions."""
    if isinstance(value, str):
        text(value, pointer, report)
    elif isinstance(value, dict):
        for key, item in value.items():
            template(item, child(pointer, key), report)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            template(item, child(pointer, index), report)


def expression(value: Json, pointer: str, report: Report) -> None:
    """A field that holds one expression by its type, with or without ``${ }``."""
    if not isinstance(value, str):
        report.expected("an expression, which is a string", value, pointer, quotes_hint(value))
        return
    if report.foreign:
        return
    try:
        report.template(interpolation.expression(value, pointer))
    except interpolation.ExpressionMalformed as error:
        report.problem(pointer, str(error))


def expression_or_template(value: Json, pointer: str, report: Report) -> None:
    """A string that is an expression with or without ``${ }``, or any value with expressions in its strings."""
    if not isinstance(value, str):
        template(value, pointer, report)
        return
    if report.foreign:
        return
    try:
        report.template(interpolation.expression_template(value, pointer, loose=report.loose))
    except interpolation.ExpressionMalformed as error:
        report.problem(pointer, str(error))


def secret_text(value: Json, pointer: str, report: Report) -> None:
    """As `text`, for what must not be shown."""
    if isinstance(value, str):
        text(value, pointer, report)
        return
    hint = quotes_hint(value)
    report.problem(pointer, f"expected a string, found {kind_of(value)}{f'; {hint}' if hint else ''}")
