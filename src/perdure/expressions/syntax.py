"""Parses the part of the jq language that `plain` evaluates. Everything else is `Unsupported`, not an error.

The grammar follows the jq 1.8 manual; whether a text is valid jq at all is for jq to say.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from perdure.codec import Json, decode, encode

TEXT_CHARACTERS_MAX = 4000
DEPTH_MAX = 40


class Unsupported(Exception):
    """The text is not in the plain part of the language, or is no jq at all."""


@dataclass(frozen=True, slots=True)
class Identity:
    """``.``"""


@dataclass(frozen=True, slots=True)
class Constant:
    value: Json


@dataclass(frozen=True, slots=True)
class Variable:
    name: str


@dataclass(frozen=True, slots=True)
class Index:
    """``target[key]``; the key is evaluated on what the target is evaluated on."""

    target: "Node"
    key: "Node"


@dataclass(frozen=True, slots=True)
class Iterate:
    """``target[]``"""

    target: "Node"


@dataclass(frozen=True, slots=True)
class Optional:
    """``body?``. Directly behind an index or ``[]``, it catches what fails in that `last_step` only."""

    body: "Node"
    last_step: bool


@dataclass(frozen=True, slots=True)
class Pipe:
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Comma:
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Binary:
    """``operator`` is one of ``// or and == != < <= > >= + - * / %``."""

    operator: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Negate:
    body: "Node"


@dataclass(frozen=True, slots=True)
class Array:
    body: "Node | None"


@dataclass(frozen=True, slots=True)
class Object:
    members: "tuple[tuple[Node, Node], ...]"


@dataclass(frozen=True, slots=True)
class Text:
    """A string with ``\\( … )`` in it."""

    parts: "tuple[str | Node, ...]"


@dataclass(frozen=True, slots=True)
class If:
    condition: "Node"
    then: "Node"
    otherwise: "Node"


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    arguments: "tuple[Node, ...]"


Node: TypeAlias = (
    Identity
    | Constant
    | Variable
    | Index
    | Iterate
    | Optional
    | Pipe
    | Comma
    | Binary
    | Negate
    | Array
    | Object
    | Text
    | If
    | Call
)

_TOKEN = re.compile(
    r"""[ \t\r\n]*(?:
        (?P<field>\.[A-Za-z_][A-Za-z0-9_]*)
      | (?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
      | (?P<variable>\$[A-Za-z_][A-Za-z0-9_]*)
      | (?P<word>[A-Za-z_][A-Za-z0-9_]*(?:::[A-Za-z_][A-Za-z0-9_]*)*)
      | (?P<symbol>\?//=?|//=|[-+*/%|]=|==|!=|<=|>=|//|\.\.|.)
      | (?P<end>\Z)
    )""",
    re.VERBOSE | re.DOTALL,
)
_RAW = re.compile(r'[^"\\\x00-\x1f]*')
_ESCAPES = re.compile(r'(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))+')

_OPERATOR_WORDS = frozenset(("and", "or", "as", "then", "elif", "else", "end"))
_STATEMENT_WORDS = frozenset(("def", "if", "reduce", "foreach", "try", "catch", "label", "import", "include"))
_COMPARISONS = frozenset(("==", "!=", "<", "<=", ">", ">="))


def parse(text: str) -> Node:
    """The syntax tree of a jq program. Raises `Unsupported`."""
    if len(text) > TEXT_CHARACTERS_MAX:
        raise Unsupported
    parser = _Parser(text)
    node = parser.pipe()
    parser.expect("end", "")
    return node


class _Parser:
    """Recursive descent, one method per level of precedence, loosest first."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._depth = 0
        self._advance()

    # tokens: `_kind` and `_token` are the next one, which ends at `_position`

    def _advance(self) -> None:
        match = _TOKEN.match(self._text, self._position)
        assert match is not None and match.lastgroup is not None
        self._kind = match.lastgroup
        self._token = match[self._kind]
        self._position = match.end()

    def _at(self, symbol: str) -> bool:
        return self._kind == "symbol" and self._token == symbol

    def _at_word(self, word: str) -> bool:
        return self._kind == "word" and self._token == word

    def _take(self) -> str:
        token = self._token
        self._advance()
        return token

    def _skip(self, symbol: str) -> bool:
        found = self._at(symbol)
        if found:
            self._advance()
        return found

    def expect(self, kind: str, token: str) -> None:
        if self._kind != kind or self._token != token:
            raise Unsupported
        if kind != "end":
            self._advance()

    # levels of precedence

    def pipe(self, *, comma: bool = True) -> Node:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise Unsupported
        left = self._comma() if comma else self._alternative()
        if self._skip("|"):
            left = Pipe(left, self.pipe(comma=comma))
        self._depth -= 1
        return left

    def _comma(self) -> Node:
        left = self._alternative()
        while self._skip(","):
            left = Comma(left, self._alternative())
        return left

    def _alternative(self) -> Node:
        left = self._or()
        if self._skip("//"):
            return Binary("//", left, self._nested(self._alternative))
        return left

    def _or(self) -> Node:
        left = self._and()
        while self._at_word("or"):
            left = Binary(self._take(), left, self._and())
        return left

    def _and(self) -> Node:
        left = self._comparison()
        while self._at_word("and"):
            left = Binary(self._take(), left, self._comparison())
        return left

    def _comparison(self) -> Node:
        left = self._sum()
        if self._kind == "symbol" and self._token in _COMPARISONS:
            left = Binary(self._take(), left, self._sum())
            if self._kind == "symbol" and self._token in _COMPARISONS:
                raise Unsupported  # they do not associate
        return left

    def _sum(self) -> Node:
        left = self._product()
        while self._at("+") or self._at("-"):
            left = Binary(self._take(), left, self._product())
        return left

    def _product(self) -> Node:
        left = self._factor()
        while self._at("*") or self._at("/") or self._at("%"):
            left = Binary(self._take(), left, self._factor())
        return left

    def _factor(self) -> Node:
        if self._skip("-"):
            return Negate(self._nested(self._product))
        starts_with_step = self._kind == "field" or self._at(".")
        return self._postfix(self._term(), starts_with_step=starts_with_step)

    def _nested(self, level: Callable[[], Node]) -> Node:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise Unsupported
        node = level()
        self._depth -= 1
        return node

    # terms

    def _postfix(self, node: Node, *, starts_with_step: bool) -> Node:
        step = starts_with_step
        while True:
            if self._kind == "field":
                node = Index(node, Constant(self._take()[1:]))
            elif self._skip("?"):
                node = Optional(node, step)
                step = False
                continue
            elif self._skip("["):
                node = self._brackets(node)
            elif self._at("."):
                self._advance()
                if self._skip("["):
                    node = self._brackets(node)
                elif self._at('"'):
                    node = Index(node, self._string())
                else:
                    raise Unsupported
            elif self._at_word("as"):
                raise Unsupported
            else:
                return node
            step = True

    def _brackets(self, target: Node) -> Node:
        if self._skip("]"):
            return Iterate(target)
        key = self.pipe()
        self.expect("symbol", "]")
        return Index(target, key)

    def _term(self) -> Node:
        match self._kind:
            case "field":
                return Index(Identity(), Constant(self._take()[1:]))
            case "number":
                return self._number()
            case "variable":
                return self._variable()
            case "word":
                return self._if() if self._at_word("if") else self._call()
        if self._at('"'):
            return self._string()
        if self._at("."):
            return self._dot()
        if self._skip("("):
            node = self.pipe()
            self.expect("symbol", ")")
            return node
        if self._skip("["):
            if self._skip("]"):
                return Array(None)
            body = self.pipe()
            self.expect("symbol", "]")
            return Array(body)
        if self._skip("{"):
            return self._object()
        raise Unsupported

    def _dot(self) -> Node:
        self._advance()
        if self._at('"'):
            return Index(Identity(), self._string())
        if self._kind == "number":
            raise Unsupported
        return Identity()

    def _number(self) -> Node:
        """Numbers keep their spelling in jq: only those that Python would write the same are plain."""
        text = self._take()
        try:
            value = decode(text)
        except ValueError:
            raise Unsupported from None
        if encode(value).decode() != text:
            raise Unsupported
        return Constant(value)

    def _variable(self) -> Node:
        name = self._take()[1:]
        if name.startswith("__") or name == "ENV":
            raise Unsupported
        return Variable(name)

    def _if(self) -> Node:
        self._advance()  # `if` or `elif`
        condition = self.pipe()
        self.expect("word", "then")
        then = self.pipe()
        otherwise: Node = Identity()
        if self._at_word("elif"):
            return If(condition, then, self._nested(self._if))
        if self._at_word("else"):
            self._advance()
            otherwise = self.pipe()
        self.expect("word", "end")
        return If(condition, then, otherwise)

    def _call(self) -> Node:
        name = self._take()
        if name in _OPERATOR_WORDS or name in _STATEMENT_WORDS or name.startswith("__"):
            raise Unsupported
        if not self._skip("("):
            constants: dict[str, Node] = {
                "null": Constant(None),
                "true": Constant(True),
                "false": Constant(False),
            }
            return constants.get(name) or Call(name, ())
        arguments = [self.pipe()]
        while self._skip(";"):
            arguments.append(self.pipe())
        self.expect("symbol", ")")
        return Call(name, tuple(arguments))

    def _object(self) -> Node:
        members: list[tuple[Node, Node]] = []
        while not self._skip("}"):
            if members:
                self.expect("symbol", ",")
            members.append(self._member())
        return Object(tuple(members))

    def _member(self) -> tuple[Node, Node]:
        key: Node
        if self._kind == "variable":
            variable = self._variable()
            assert isinstance(variable, Variable)
            return Constant(variable.name), variable
        if self._kind == "word":
            key = Constant(self._take())
        elif self._at('"'):
            key = self._string()
        elif self._skip("("):
            key = self.pipe()
            self.expect("symbol", ")")
            self.expect("symbol", ":")
            return key, self.pipe(comma=False)
        else:
            raise Unsupported
        if self._skip(":"):
            return key, self.pipe(comma=False)
        return key, Index(Identity(), key)

    def _string(self) -> Node:
        """The string whose opening quote is the next token."""
        parts: list[str | Node] = []
        position = self._position
        while True:
            match = _RAW.match(self._text, position)
            assert match is not None
            parts.append(match[0])
            position = match.end()
            if self._text.startswith('"', position):
                break
            if self._text.startswith("\\(", position):
                self._position = position + 2
                self._advance()
                parts.append(self.pipe())
                if not self._at(")"):
                    raise Unsupported
                position = self._position
                continue
            escapes = _ESCAPES.match(self._text, position)
            if escapes is None:
                raise Unsupported
            parts.append(_unescaped(escapes[0]))
            position = escapes.end()
        self._position = position + 1
        self._advance()
        if all(isinstance(part, str) for part in parts):
            return Constant("".join(part for part in parts if isinstance(part, str)))
        return Text(tuple(part for part in parts if part != ""))


def _unescaped(escapes: str) -> str:
    try:
        text = decode(f'"{escapes}"')
    except ValueError:
        raise Unsupported from None
    assert isinstance(text, str)
    return text
