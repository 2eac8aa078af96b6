"""Building a JSON value and the places of its parts from what a reader of text meets, within bounds.

Readers report beginnings, scalars and ends; no recursion is involved, so that no nesting is too deep to
be refused properly. All bounds on decoded documents are kept here, for YAML and JSON alike.
"""

from dataclasses import dataclass, field

from perdure.codec import Json

DEPTH_MAX = 64
"""How deep values may be nested."""

NODES_MAX = 250_000
"""How many values a document may have, aliases written out."""

EXPANDED_MAX = 8 * 1024 * 1024
"""How many characters a document may have, aliases written out."""

KEY_LENGTH_MAX = 1024
INTEGER_DIGITS_MAX = 1000


class TreeRefused(ValueError):
    """The text breaks a rule or a bound at this line and column, counted from 1."""

    def __init__(self, detail: str, line: int, column: int) -> None:
        super().__init__(detail)
        self.line = line
        self.column = column


@dataclass(slots=True, eq=False)
class Node:
    """One value and where it begins. `children` and `keys` (where each member's name begins) follow its shape."""

    value: Json
    line: int
    column: int
    children: "dict[str, Node] | list[Node] | None" = None
    keys: dict[str, tuple[int, int]] = field(default_factory=dict)
    nodes: int = 1
    characters: int = 1
    height: int = 0
    open: bool = False


class Builder:
    """Takes the parts of one document in order and builds it."""

    def __init__(self) -> None:
        self._open: list[Node] = []
        self._pending: list[tuple[str, int, int] | None] = []
        self._root: Node | None = None

    def root(self) -> Node:
        """The whole, once everything is closed. Raises `TreeRefused` if there was nothing."""
        if self._root is None:
            raise TreeRefused("the document is empty; expected a definition", 1, 1)
        return self._root

    @property
    def expects_key(self) -> bool:
        """Whether the next part is the name of a member."""
        return bool(self._open) and isinstance(self._open[-1].children, dict) and self._pending[-1] is None

    def key(self, name: str, line: int, column: int) -> None:
        """The name of the next member of the open object."""
        if len(name) > KEY_LENGTH_MAX:
            raise TreeRefused(f"expected names of at most {KEY_LENGTH_MAX} characters", line, column)
        _check_characters(name, line, column)
        if name in self._open[-1].keys:
            first = self._open[-1].keys[name][0]
            raise TreeRefused(f'the member "{name[:60]}" stands twice, first in line {first}', line, column)
        self._open[-1].keys[name] = (line, column)
        self._pending[-1] = (name, line, column)

    def scalar(self, value: Json, line: int, column: int, characters: int = 1) -> Node:
        """A value without parts; `characters` is the length of its text."""
        if isinstance(value, str):
            _check_characters(value, line, column)
        node = Node(value, line, column, characters=characters + 1)
        self._add(node)
        return node

    def begin(self, value: "dict[str, Json] | list[Json]", line: int, column: int) -> Node:
        """An object or array (given empty) begins."""
        if len(self._open) >= DEPTH_MAX:
            raise TreeRefused(f"nested too deep; at most {DEPTH_MAX} levels are allowed", line, column)
        node = Node(value, line, column, {} if isinstance(value, dict) else [], open=True)
        self._open.append(node)
        self._pending.append(None)
        return node

    def end(self) -> None:
        """The open object or array ends."""
        node = self._open.pop()
        self._pending.pop()
        node.open = False
        self._add(node)

    def alias(self, node: Node, line: int, column: int) -> None:
        """The value of an earlier node stands here again."""
        if node.open:
            raise TreeRefused("the alias stands within the value that it repeats", line, column)
        if len(self._open) + node.height > DEPTH_MAX:
            raise TreeRefused(f"aliases nest too deep; at most {DEPTH_MAX} levels are allowed", line, column)
        self._add(node)

    def _add(self, node: Node) -> None:
        if not self._open:
            self._root = node
            return
        parent = self._open[-1]
        if isinstance(parent.children, dict):
            pending = self._pending[-1]
            assert pending is not None
            parent.children[pending[0]] = node
            parent.value[pending[0]] = node.value
            parent.characters += len(pending[0])
            self._pending[-1] = None
        else:
            assert parent.children is not None
            parent.children.append(node)
            parent.value.append(node.value)
        self._grow(parent, node)

    def _grow(self, parent: Node, node: Node) -> None:
        parent.nodes += node.nodes
        parent.characters += node.characters
        parent.height = max(parent.height, node.height + 1)
        if parent.nodes > NODES_MAX or parent.characters > EXPANDED_MAX:
            raise TreeRefused(
                f"too large with its aliases written out; at most {NODES_MAX} values and "
                f"{EXPANDED_MAX} characters are allowed",
                node.line,
                node.column,
            )


def integer(text: str, line: int, column: int) -> int:
    """The integer of decimal text, exactly. Raises `TreeRefused` for one that no one means."""
    if len(text) > INTEGER_DIGITS_MAX:
        raise TreeRefused(f"expected numbers of at most {INTEGER_DIGITS_MAX} digits", line, column)
    return int(text)


def decimal(text: str, line: int, column: int) -> float:
    """The nearest floating-point number. Raises `TreeRefused` beyond their range."""
    number = float(text)
    if number - number != 0:
        raise TreeRefused(f"expected a number within the range of double precision, found {text[:40]}", line, column)
    return number


def _check_characters(text: str, line: int, column: int) -> None:
    found = "\x00" in text
    if not found and not text.isascii():
        found = any("\ud800" <= character <= "\udfff" for character in text)
    if found:
        raise TreeRefused("expected text without the character U+0000 and unpaired surrogates", line, column)
