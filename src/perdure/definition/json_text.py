"""JSON text (RFC 8259), read part by part with positions."""

import re
from json import JSONDecodeError
from json.decoder import scanstring  # type: ignore[attr-defined]  # typeshed leaves it out
from typing import NoReturn

from perdure.codec import Json
from perdure.definition.tree import Builder, TreeRefused, decimal, integer

_SPACE = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"(-?(?:0|[1-9][0-9]*))(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Json] = {"t": ("true", True), "f": ("false", False), "n": ("null", None)}


def read(text: str, builder: Builder) -> None:
    """Report the parts of one JSON value to the builder. Raises `TreeRefused`."""
    reader = _Reader(text, builder)
    reader.value()
    while reader.opened:
        reader.next_in_container()
    reader.skip_space()
    if reader.position < len(text):
        reader.refuse("expected the end of the document")


class _Reader:
    def __init__(self, text: str, builder: Builder) -> None:
        self.text = text
        self.builder = builder
        self.position = 0
        self.opened: list[str] = []
        """The closing bracket of each container that is open, and whether it has had a part yet."""
        self.fresh = False
        self.line = 1
        self.line_start = 0

    def skip_space(self) -> None:
        match = _SPACE.match(self.text, self.position)
        assert match is not None
        end = match.end()
        newline = self.text.rfind("\n", self.position, end)
        if newline >= 0:
            self.line += self.text.count("\n", self.position, end)
            self.line_start = newline + 1
        self.position = end

    def refuse(self, expected: str) -> NoReturn:
        found = self.text[self.position : self.position + 1]
        what = f"found {found!r}" if found else "found the end of the text"
        raise TreeRefused(f"{expected}, {what}", *self.place())

    def place(self) -> tuple[int, int]:
        return self.line, self.position - self.line_start + 1

    def value(self) -> None:
        self.skip_space()
        line, column = self.place()
        character = self.text[self.position : self.position + 1]
        if character == '"':
            start = self.position
            value = self.string()
            self.builder.scalar(value, line, column, self.position - start)
        elif character == "{":
            self.begin({}, "}")
        elif character == "[":
            self.begin([], "]")
        elif character in _WORDS and self.text.startswith(_WORDS[character][0], self.position):
            word, value = _WORDS[character]
            self.position += len(word)
            self.builder.scalar(value, line, column)
        else:
            self.number(line, column)

    def begin(self, value: Json, closing: str) -> None:
        self.builder.begin(value, *self.place())
        self.position += 1
        self.opened.append(closing)
        self.fresh = True

    def number(self, line: int, column: int) -> None:
        match = _NUMBER.match(self.text, self.position)
        if match is None:
            self.refuse("expected a JSON value")
        whole, fraction, exponent = match.groups()
        value = decimal(match.group(), line, column) if fraction or exponent else integer(whole, line, column)
        self.position = match.end()
        self.builder.scalar(value, line, column, len(match.group()))

    def string(self) -> str:
        try:
            value: str
            value, self.position = scanstring(self.text, self.position + 1, True)
        except JSONDecodeError as error:
            self.position = error.pos
            self.refuse(f"expected a JSON string ({error.msg[:60].lower()})")
        return value

    def next_in_container(self) -> None:
        """Read a comma and a part, or the end, of the innermost open container."""
        self.skip_space()
        closing = self.opened[-1]
        if self.text.startswith(closing, self.position):
            self.position += 1
            self.opened.pop()
            self.fresh = False
            self.builder.end()
            return
        if not self.fresh:
            if not self.text.startswith(",", self.position):
                self.refuse(f'expected "," or "{closing}"')
            self.position += 1
            self.skip_space()
        self.fresh = False
        if closing == "}":
            self.key()
        self.value()

    def key(self) -> None:
        if not self.text.startswith('"', self.position):
            self.refuse("expected a name in double quotes")
        place = self.place()
        self.builder.key(self.string(), *place)
        self.skip_space()
        if not self.text.startswith(":", self.position):
            self.refuse('expected ":"')
        self.position += 1
