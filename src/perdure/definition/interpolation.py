"""Finding runtime expressions in strings (DSL, "Runtime Expressions").

In most fields an expression is what stands in ``${ }``. The closing brace is found by reading jq's
strings, interpolations, comments and brackets, so that braces in them do no harm. In fields that hold an
expression by their type (``if``, ``when``, ``in`` …) the ``${ }`` may be left out.
"""

import re

from perdure.codec import Json
from perdure.definition.pointers import child
from perdure.definition.template import (
    ArrayTemplate,
    Expression,
    Interpolation,
    Literal,
    ObjectTemplate,
    Template,
)

OPENING = "${"

_IN_CODE = re.compile(r'["#(){}\[\]$]')
_IN_STRING = re.compile(r'["\\]')
_COMMENT_END = re.compile(r"(?<!\\)(?:\\\\)*\r\n|(?<![\\\r])(?:\\\\)*\n")
"""jq ends a comment with its line, unless an odd number of backslashes stands before the line's end."""


class ExpressionMalformed(ValueError):
    """An expression is not closed, or empty. The message says what to do."""


def template_of(value: Json, pointer: str, *, loose: bool = False) -> Template:
    """The template of a JSON value whose strings may contain expressions in ``${ }``.

    In loose mode every string is tried as an expression. Raises `ExpressionMalformed`.
    """
    if isinstance(value, str):
        return text_template(value, pointer, loose=loose)
    if isinstance(value, dict):
        return object_template(
            [(key, template_of(item, child(pointer, key), loose=loose)) for key, item in value.items()]
        )
    if isinstance(value, list):
        items = [template_of(item, child(pointer, index), loose=loose) for index, item in enumerate(value)]
        if all(isinstance(item, Literal) for item in items):
            return Literal(value)
        return ArrayTemplate(tuple(items))
    return Literal(value)


def object_template(members: list[tuple[str, Template]]) -> Template:
    """The template of an object with these members: a literal if all of them are."""
    values = {key: member.value for key, member in members if isinstance(member, Literal)}
    return Literal(values) if len(values) == len(members) else ObjectTemplate(tuple(members))


def text_template(text: str, pointer: str, *, loose: bool = False) -> Template:
    """The template of one string. Raises `ExpressionMalformed`."""
    if loose:
        return _loose(text, pointer)
    if OPENING not in text:
        return Literal(text)
    return _template(text, _parts(text, pointer))


def expression(text: str, pointer: str) -> Expression:
    """The expression in a field that holds one by its type, with or without ``${ }``.

    Raises `ExpressionMalformed`, also where expressions stand among other text.
    """
    found = _typed(text, pointer)
    if not isinstance(found, Expression):
        raise ExpressionMalformed(
            "expected one expression, in ${ } as a whole or without, found expressions among other text; "
            'build text within the expression: "\\(.name) …"'
        )
    return found


def expression_template(text: str, pointer: str, *, loose: bool = False) -> Template:
    """As `expression`, for fields that yield a value (``input.from``): expressions among text are allowed."""
    if not loose:
        return _typed(text, pointer)
    try:
        found = _typed(text, pointer)
    except ExpressionMalformed:
        return Expression(text, pointer, text)
    return _with_fallback(found, text)


def _typed(text: str, pointer: str) -> Expression | Interpolation:
    if not text.strip():
        raise ExpressionMalformed("expected an expression, found none")
    if not _opens_outside_strings(text):
        return Expression(text.strip(), pointer)
    found = _template(text, _parts(text, pointer))
    assert not isinstance(found, Literal | ObjectTemplate | ArrayTemplate)
    return found


def _loose(text: str, pointer: str) -> Template:
    """DSL reference, "Evaluate": any value is tried; where that fails, it is the string that it was."""
    if not text.strip():
        return Literal(text)
    if OPENING not in text:
        return Expression(text.strip(), pointer, text)
    try:
        return _with_fallback(_template(text, _parts(text, pointer)), text)
    except ExpressionMalformed:
        return Expression(text.strip(), pointer, text)


def _with_fallback(template: Template, text: str) -> Template:
    if isinstance(template, Expression):
        return Expression(template.text, template.pointer, text)
    if isinstance(template, Interpolation):
        return Interpolation(
            tuple(
                part if isinstance(part, str) else Expression(part.text, part.pointer, f"${{ {part.text} }}")
                for part in template.parts
            )
        )
    return template


def _template(text: str, parts: list[str | Expression]) -> Template:
    """One expression with nothing but white space around it yields its own value, not text."""
    inner = [part for part in parts if isinstance(part, Expression) or part.strip()]
    if len(inner) == 1 and isinstance(inner[0], Expression):
        return inner[0]
    return Interpolation(tuple(parts)) if any(isinstance(p, Expression) for p in parts) else Literal(text)


def _parts(text: str, pointer: str) -> list[str | Expression]:
    parts: list[str | Expression] = []
    start = 0
    while (opening := text.find(OPENING, start)) >= 0:
        closing = closing_brace(text, opening + len(OPENING))
        if closing is None:
            raise ExpressionMalformed(
                f'the expression that begins "{text[opening : opening + 30]}" is not closed by "}}"; '
                'to have "${" as text, write ${ "${" }'
            )
        program = text[opening + len(OPENING) : closing].strip()
        if not program:
            raise ExpressionMalformed("expected an expression in ${ }, found none")
        if opening > start:
            parts.append(text[start:opening])
        parts.append(Expression(program, pointer))
        start = closing + 1
    if start < len(text):
        parts.append(text[start:])
    return parts


def closing_brace(text: str, start: int) -> int | None:
    """Where the ``}`` stands that ends the jq program begun at `start`; None if there is none."""
    opened: list[str] = []
    position = start
    while True:
        within_string = bool(opened) and opened[-1] == '"'
        match = (_IN_STRING if within_string else _IN_CODE).search(text, position)
        if match is None:
            return None
        found, position = match.group(), match.end()
        if within_string:
            position = _step_in_string(text, found, position, opened)
        elif found == "}" and not opened:
            return match.start()
        else:
            position = _step_in_code(text, found, position, opened)


def _step_in_string(text: str, found: str, position: int, opened: list[str]) -> int:
    if found == '"':
        opened.pop()
        return position
    if text[position : position + 1] == "(":
        opened.append("\\(")
    return position + 1


def _step_in_code(text: str, found: str, position: int, opened: list[str]) -> int:
    if found == "#":
        end = _COMMENT_END.search(text, position)
        return end.end() if end else len(text)
    if found in '"({[':
        opened.append(found)
    elif found in ")}]" and opened:
        opened.pop()
    return position


def _opens_outside_strings(text: str) -> bool:
    """Whether ``${`` stands outside jq's strings and comments, where jq itself has no use for it."""
    if OPENING not in text:
        return False
    opened: list[str] = []
    position = 0
    while True:
        within_string = bool(opened) and opened[-1] == '"'
        match = (_IN_STRING if within_string else _IN_CODE).search(text, position)
        if match is None:
            return False
        found, position = match.group(), match.end()
        if within_string:
            position = _step_in_string(text, found, position, opened)
        elif found == "$" and text[position : position + 1] == "{":
            return True
        else:
            position = _step_in_code(text, found, position, opened)
