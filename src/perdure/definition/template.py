"""Values that may contain runtime expressions, compiled from a definition.

A template is a JSON value in which strings of the form ``${ … }`` are jq expressions (DSL,
"Runtime Expressions"). A string that is one expression as a whole yields the expression's value;
a string that contains expressions among other text yields the text with their results put in.
"""

import re
from dataclasses import dataclass
from typing import TypeAlias

from perdure.codec import Json

_VARIABLE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")


@dataclass(frozen=True, slots=True)
class Literal:
    """A value without any expression."""

    value: Json


@dataclass(frozen=True, slots=True)
class Expression:
    """One jq program, without its ``${ }``.

    `pointer` is the JSON Pointer of the string in the definition. `fallback` is set in loose
    evaluation mode: the string to use where evaluation fails.
    """

    text: str
    pointer: str = ""
    fallback: str | None = None


@dataclass(frozen=True, slots=True)
class Interpolation:
    """Text with expressions in it; their results are put in as text (strings bare, others as JSON)."""

    parts: tuple[str | Expression, ...]


@dataclass(frozen=True, slots=True)
class ObjectTemplate:
    members: tuple[tuple[str, "Template"], ...]


@dataclass(frozen=True, slots=True)
class ArrayTemplate:
    items: tuple["Template", ...]


Template: TypeAlias = Literal | Expression | Interpolation | ObjectTemplate | ArrayTemplate


def variables_of(template: Template) -> frozenset[str]:
    """The names of all variables that the template's expressions mention, without ``$``.

    A superset is fine (a name in a string literal counts): it decides what must be supplied.
    """
    return frozenset(name for expression in expressions_of(template) for name in _VARIABLE.findall(expression.text))


def expressions_of(template: Template) -> tuple[Expression, ...]:
    """All expressions in the template, in order."""
    match template:
        case Literal():
            return ()
        case Expression():
            return (template,)
        case Interpolation(parts):
            return tuple(part for part in parts if isinstance(part, Expression))
        case ObjectTemplate(members):
            return tuple(e for _, value in members for e in expressions_of(value))
        case ArrayTemplate(items):
            return tuple(e for item in items for e in expressions_of(item))
