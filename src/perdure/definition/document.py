"""YAML and JSON text decoded, with the place of each value, within bounds.

YAML is read by version 1.2's core schema, whatever its header says: ``on``, ``yes`` and dates are strings,
``010`` is ten. Keys are strings: the key ``404`` is ``"404"``.
"""

from dataclasses import dataclass
from typing import TypeAlias

from perdure.codec import Json
from perdure.definition.pointers import tokens
from perdure.definition.problems import DefinitionUndecodable, Problem
from perdure.definition.tree import Builder, Node, TreeRefused

BYTES_MAX = 4 * 1024 * 1024
"""Longer documents are refused, whatever an operator allows."""

JSON_TYPES = frozenset({"application/json", "text/json"})
YAML_TYPES = frozenset({"application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml", "text/vnd.yaml"})

Position: TypeAlias = tuple[int, int]
"""Line and column, counted from 1."""


@dataclass(frozen=True, slots=True)
class Document:
    """Decoded text. `value` is the JSON it says."""

    root: Node

    @property
    def value(self) -> Json:
        return self.root.value

    def locate(self, pointer: str) -> Position | None:
        """Where the value begins that a JSON Pointer names; None if there is no such value."""
        node = self._node(pointer)
        return (node.line, node.column) if node else None

    def locate_key(self, pointer: str) -> Position | None:
        """Where the member begins, name included; an item of an array, or the whole, where it begins itself."""
        parent, _, token = pointer.rpartition("/")
        holder = self._node(parent) if pointer else None
        if holder is None or not isinstance(holder.children, dict):
            return self.locate(pointer)
        return holder.keys.get(tokens(f"/{token}")[0])

    def _node(self, pointer: str) -> Node | None:
        node: Node | None = self.root
        for token in tokens(pointer):
            if node is None:
                return None
            if isinstance(node.children, dict):
                node = node.children.get(token)
            elif isinstance(node.children, list) and token.isdigit() and int(token) < len(node.children):
                node = node.children[int(token)]
            else:
                return None
        return node


def parse(source: bytes, media_type: str) -> Document:
    """Decode YAML or JSON text. Raises `DefinitionUndecodable`, located where the fault is."""
    from perdure.definition import json_text, yaml_text

    if len(source) > BYTES_MAX:
        raise _undecodable(f"expected at most {BYTES_MAX} bytes, found {len(source)}; split the definition")
    kind = media_type.partition(";")[0].strip().lower()
    text = _text(source)
    builder = Builder()
    try:
        if kind in JSON_TYPES or kind.endswith("+json"):
            json_text.read(text, builder)
        elif kind in YAML_TYPES or kind.endswith("+yaml"):
            yaml_text.read(text, builder)
        else:
            raise _undecodable(f'expected application/yaml or application/json, found "{kind[:80]}"')
        return Document(builder.root())
    except TreeRefused as refused:
        raise _undecodable(str(refused), refused.line, refused.column) from None


def _text(source: bytes) -> str:
    try:
        return source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = source[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        raise _undecodable("expected UTF-8 text, found bytes that are none", line, column) from None


def _undecodable(detail: str, line: int | None = None, column: int | None = None) -> DefinitionUndecodable:
    return DefinitionUndecodable(Problem("", detail, line, column))
