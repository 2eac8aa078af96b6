"""What the checks find: faults, warnings, what is needed from elsewhere, and every expression."""

import difflib
import json
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from perdure.codec import Json
from perdure.definition.document import Document, Position
from perdure.definition.pins import Need
from perdure.definition.pointers import child
from perdure.definition.problems import Problem, unavailable
from perdure.definition.template import Expression, Template, expressions_of
from perdure.definition.uses import Uses

PROBLEMS_MAX = 100
"""After so many faults the search ends; further warnings are counted, not told."""

TASKS_MAX = 20_000
"""Definitions with more tasks are refused."""

_QUOTED_MAX = 60
_SUGGESTION_LENGTH_MAX = 64
_SUGGESTION_NAMES_MAX = 200

Check: TypeAlias = "Callable[[Json, str, Report], None]"


class EnoughFound(Exception):
    """There are `PROBLEMS_MAX` faults; looking for more helps nobody."""


class Report:
    """Collects what checks find in one definition."""

    def __init__(
        self,
        uses: Uses,
        *,
        loose: bool = False,
        foreign: bool = False,
        published: bool = False,
        document: Document | None = None,
    ) -> None:
        self.uses = uses
        self.published = published
        """Whether this is a function that is published for others, whose secrets and catalogs are not known yet."""
        self.foreign = foreign
        """Whether expressions are in another language than jq, so that nothing can be said of them."""
        self.loose = loose
        """Whether every string is tried as an expression (DSL reference, "Evaluate")."""
        self.expressions: list[Expression] = []
        self._document = document
        self._problems: list[Problem] = []
        self._warnings: list[Problem] = []
        self._warnings_further = 0
        self._needs: dict[tuple[str | None, str, str], Need] = {}
        self._calls: dict[str | None, set[str]] = {}
        self._function: str | None = None
        self._tasks = 0

    def problem(self, pointer: str, detail: str, *, at_key: bool = False) -> None:
        """A fault; `at_key` places it at the member's name. Raises `EnoughFound` once there are too many."""
        self._problems.append(self._located(pointer, detail, at_key))
        if len(self._problems) == PROBLEMS_MAX:
            raise EnoughFound

    def warn(self, pointer: str, detail: str, *, at_key: bool = False) -> None:
        """Something that is allowed, but perhaps not meant."""
        if len(self._warnings) < PROBLEMS_MAX:
            self._warnings.append(self._located(pointer, detail, at_key))
        else:
            self._warnings_further += 1

    def unavailable(self, pointer: str, what: str, hint: str = "") -> None:
        """The definition uses something valid that this installation lacks; `hint` says what to do about it.

        It is a warning: the definition can be registered, and the use raises a configuration error.
        """
        self.warn(pointer, f"{unavailable(what, hint)} (using it raises a configuration error)")

    def need(self, kind: str, key: str, pointer: str, endpoint: Json = None) -> None:
        """The definition needs something from outside the document; see `pins.Need`."""
        place = self._located(pointer, "", False)
        need = Need(kind, key, pointer, place.line, place.column, endpoint)
        self._needs.setdefault((self._function, kind, key), need)

    @contextmanager
    def function(self, name: str) -> Iterator[None]:
        """Within, what is found belongs to a function of ``use.functions``, and counts only if that is called."""
        self._function = name
        try:
            yield
        finally:
            self._function = None

    def calls(self, name: str) -> None:
        """A function of ``use.functions`` is called."""
        self._calls.setdefault(self._function, set()).add(name)

    def expected(self, what: str, value: Json, pointer: str, hint: str = "") -> None:
        """A fault: a value of another kind than expected."""
        self.problem(pointer, f"expected {what}, found {described(value)}{f'; {hint}' if hint else ''}")

    def expected_one_of(self, names: Iterable[str], value: str, pointer: str, *, at_key: bool = False) -> None:
        """A fault: a word that is none of those that could stand there."""
        names = tuple(names)
        self.problem(
            pointer,
            f"expected one of {listed(names)}, found {quoted(value)}{suggestion(value, names)}",
            at_key=at_key,
        )

    def unknown(self, key: str, pointer: str, known: Collection[str], *, fault: bool) -> None:
        """A member that the DSL does not know there: a fault, or a warning where the schema is open."""
        if not fault and len(self._warnings) == PROBLEMS_MAX:
            self._warnings_further += 1
            return
        detail = f"unknown property {quoted(key)}{suggestion(key, known) or f'; expected {listed(known)}'}"
        if fault:
            self.problem(child(pointer, key), detail, at_key=True)
        else:
            self.warn(child(pointer, key), f"{detail} (ignored)", at_key=True)

    def template(self, template: Template) -> None:
        """Remember the expressions in it."""
        self.expressions.extend(expressions_of(template))

    def count_task(self, pointer: str) -> None:
        self._tasks += 1
        if self._tasks == TASKS_MAX + 1:
            self.problem(
                pointer, f"expected at most {TASKS_MAX} tasks in a definition; run some as workflows of their own"
            )

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All faults, in the order of the text."""
        told = sorted(self._problems, key=_place)
        if len(told) == PROBLEMS_MAX:
            told.append(Problem("", f"these are the first {PROBLEMS_MAX} problems; there may be more"))
        return tuple(told)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """All warnings, in the order of the text."""
        told = sorted(self._warnings, key=_place)
        if self._warnings_further:
            told.append(Problem("", f"and {self._warnings_further} warnings more"))
        return tuple(told)

    @property
    def needs(self) -> tuple[Need, ...]:
        """What is used from outside the document, once each, in the order in which it was met."""
        used = self._used()
        found: dict[tuple[str, str], Need] = {}
        for (owner, *identity), need in self._needs.items():
            if owner in used:
                found.setdefault((identity[0], identity[1]), need)
        return tuple(found.values())

    def _used(self) -> set[str | None]:
        """The tasks of the document itself (None), and the functions that they lead to."""
        used: set[str | None] = set()
        open_: list[str | None] = [None]
        while open_:
            owner = open_.pop()
            if owner not in used:
                used.add(owner)
                open_ += self._calls.get(owner, ())
        return used

    def _located(self, pointer: str, detail: str, at_key: bool) -> Problem:
        position: Position | None = None
        if self._document is not None:
            locate = self._document.locate_key if at_key else self._document.locate
            position = locate(pointer)
        line, column = position or (None, None)
        return Problem(pointer, detail, line, column)


def _place(problem: Problem) -> tuple[int, int]:
    return (problem.line or 0, problem.column or 0)


def quoted(text: str) -> str:
    """The text in double quotes, cut where it is long."""
    shown = text if len(text) <= _QUOTED_MAX else f"{text[: _QUOTED_MAX - 1]}…"
    return json.dumps(shown, ensure_ascii=False)


def described(value: Json) -> str:
    """What kind of value it is, and which, in a few words."""
    if value is None:
        return "nothing (null)"
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()}"
    if isinstance(value, int | float):
        return f"the number {str(value)[:40]}"
    if isinstance(value, str):
        return f"the string {quoted(value)}"
    return kind_of(value)


def kind_of(value: Json) -> str:
    """What kind of value it is, without showing it."""
    if value is None:
        return "nothing (null)"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "an object" if isinstance(value, dict) else "an array"


def listed(names: Iterable[str]) -> str:
    """The names, quoted, with commas between."""
    return ", ".join(quoted(name) for name in names)


def suggestion(value: str, names: Collection[str]) -> str:
    """``; did you mean "…"?`` where one of the names is close, else nothing."""
    close = nearest(value, names)
    return f"; did you mean {quoted(close)}?" if close is not None else ""


def nearest(value: str, names: Collection[str]) -> str | None:
    """The name that is written most alike, if any is close."""
    if len(value) > _SUGGESTION_LENGTH_MAX or len(names) > _SUGGESTION_NAMES_MAX:
        return None
    folded = {name.lower(): name for name in names if len(name) <= _SUGGESTION_LENGTH_MAX}
    close = difflib.get_close_matches(value.lower(), folded, 1, 0.6)
    return folded[close[0]] if close else None
