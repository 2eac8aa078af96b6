"""YAML text, read event by event with positions.

libyaml parses the syntax; what plain scalars mean is decided here, by the core schema of YAML 1.2
(section 10.3), where PyYAML would follow YAML 1.1. Tags, several documents and merge keys are refused.
"""

import re

import yaml

from perdure.codec import Json
from perdure.definition.tree import INTEGER_DIGITS_MAX, Builder, Node, TreeRefused, decimal, integer

_CONSTANTS: dict[str, Json] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_JSON = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def read(text: str, builder: Builder) -> None:
    """Report the parts of one YAML document to the builder. Raises `TreeRefused`."""
    anchors: dict[str, Node] = {}
    documents = 0
    try:
        for event in yaml.parse(text, Loader=yaml.CLoader):
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise TreeRefused("expected one document, found another", *_place(event))
            elif isinstance(event, yaml.AliasEvent):
                _alias(event, builder, anchors)
            elif isinstance(event, yaml.NodeEvent):
                _node(event, builder, anchors)
            elif isinstance(event, yaml.CollectionEndEvent):
                builder.end()
    except yaml.MarkedYAMLError as error:
        raise _syntax(error, text) from None
    except yaml.reader.ReaderError as error:
        line, column = _position(text, error.position)
        raise TreeRefused("expected printable characters, found a control character", line, column) from None


def _node(event: yaml.NodeEvent, builder: Builder, anchors: dict[str, Node]) -> None:
    place = _place(event)
    if event.tag is not None:  # type: ignore[attr-defined]
        raise TreeRefused(f"expected no tags, found {event.tag[:60]}; remove it", *place)  # type: ignore[attr-defined]
    if builder.expects_key:
        _key(event, builder, place)
        return
    if isinstance(event, yaml.ScalarEvent):
        value = _plain(event.value, place) if event.implicit[0] else event.value
        node = builder.scalar(value, *place, len(event.value))
    else:
        node = builder.begin({} if isinstance(event, yaml.MappingStartEvent) else [], *place)
    if event.anchor is not None:
        anchors[event.anchor] = node


def _key(event: yaml.NodeEvent, builder: Builder, place: tuple[int, int]) -> None:
    if not isinstance(event, yaml.ScalarEvent):
        raise TreeRefused("expected a name, found an object or array used as one", *place)
    if event.value == "<<" and event.implicit[0]:
        raise TreeRefused('merge keys ("<<") are not part of YAML 1.2; write the members out', *place)
    if event.anchor is not None:
        raise TreeRefused("expected names without anchors", *place)
    builder.key(event.value, *place)


def _alias(event: yaml.AliasEvent, builder: Builder, anchors: dict[str, Node]) -> None:
    place = _place(event)
    if builder.expects_key:
        raise TreeRefused("expected a name, found an alias", *place)
    name = event.anchor or ""
    node = anchors.get(name)
    if node is None:
        raise TreeRefused(f'the alias "*{name[:60]}" has no anchor before it', *place)
    builder.alias(node, *place)


def _plain(text: str, place: tuple[int, int]) -> Json:
    """The value of an unquoted scalar."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in "+-.0123456789":
        return text
    if _INTEGER.fullmatch(text):
        return integer(text, *place)
    if len(text) <= INTEGER_DIGITS_MAX and _BASED.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return decimal(text, *place)
    if _NOT_JSON.fullmatch(text):
        raise TreeRefused(f"expected a value that JSON has, found {text}; put it in quotes if it is text", *place)
    return text


def _place(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    assert mark is not None
    return mark.line + 1, mark.column + 1


def _syntax(error: yaml.MarkedYAMLError, text: str) -> TreeRefused:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    reason = "; ".join(part for part in (error.context, error.problem) if part)
    lines = text.splitlines()
    near = "".join(lines[max(line - 2, 0) : line])
    hint = "; put text with ${ } in quotes" if "${" in near else ""
    return TreeRefused(f"not YAML: {reason}{hint}", line, column)


def _position(text: str, offset: int) -> tuple[int, int]:
    """The place of a byte offset."""
    before = text.encode()[:offset].decode("utf-8", "replace")
    return before.count("\n") + 1, len(before) - before.rfind("\n")
