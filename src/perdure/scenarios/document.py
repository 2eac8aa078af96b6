"""Scenario files: their form, checked, with the place of every fault."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, TypeAlias

import msgspec

from perdure.codec import Json
from perdure.definition import durations
from perdure.definition.document import Document, parse
from perdure.definition.pointers import child
from perdure.definition.problems import DefinitionInvalid, Problem
from perdure.engine.durations import kind_of

UNTIL = "P100Y"
"""How far the clock may go where a scenario does not say."""
START_YEARS: Final = range(1970, 8000)
"""When the clock may begin: no duration, which is a thousand years at most, leads from there to where dates end."""

_Time = Annotated[datetime, msgspec.Meta(tz=True)]


class Failure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An error to answer with, or a part of the one expected. Without a type it is a communication error."""

    type: str | None = None
    status: int | None = None
    title: str | None = None
    detail: str | None = None
    instance: str | None = None


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What the world answers to an activity: exactly one of `KINDS`.

    `output` is the raw answer, `transformed` what it is after the task's ``output.as`` (which is left out then).
    """

    output: Json | msgspec.UnsetType = msgspec.UNSET
    transformed: Json | msgspec.UnsetType = msgspec.UNSET
    error: Failure | msgspec.UnsetType = msgspec.UNSET
    outcome: str | msgspec.UnsetType = msgspec.UNSET
    body: Json | msgspec.UnsetType = msgspec.UNSET
    never: bool | msgspec.UnsetType = msgspec.UNSET
    data: Json = None
    comment: str | None = None
    user: str = "somebody"
    after: Json = "PT0S"

    @property
    def kind(self) -> str:
        given = [name for name in KINDS if getattr(self, name) is not msgspec.UNSET]
        return given[0] if len(given) == 1 else ""


KINDS = ("output", "transformed", "error", "outcome", "body", "never")


class Event(msgspec.Struct, frozen=True, rename={"event_id": "id"}):
    """A CloudEvent that comes in: at a time since the start, else as soon as somebody waits for one of its type."""

    type: str
    source: str = "urn:scenario"
    event_id: str | None = None
    data: Json = None
    subject: str | None = None
    at: Json | msgspec.UnsetType = msgspec.UNSET


class Command(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An operator's command at a time since the start."""

    command: str
    at: Json = "PT0S"
    reason: str | None = None


class Expectation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What must come of it. `error`, `events` and what they hold need only be part of what is found."""

    status: str | None = None
    output: Json | msgspec.UnsetType = msgspec.UNSET
    error: Failure | None = None
    path: list[str] | None = None
    events: list[dict[str, Any]] | None = None
    duration: Json | msgspec.UnsetType = msgspec.UNSET


Answers: TypeAlias = dict[str, list[Answer] | Answer]


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One life of a process. `answers` are by reference: a list serves one each, in order; a single one always."""

    name: str
    input: Json = msgspec.field(default_factory=dict)
    answers: Answers = msgspec.field(default_factory=dict)
    events: list[Event] = msgspec.field(default_factory=list)
    commands: list[Command] = msgspec.field(default_factory=list)
    secrets: dict[str, Json] = msgspec.field(default_factory=dict)
    start: str = "2026-01-01T00:00:00Z"
    until: Json = UNTIL
    expect: Expectation = msgspec.field(default_factory=Expectation)


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`definition` and `definitions` are paths, relative to the file, or documents in place.

    So are `functions`, by how they are called, and `schemas`, by their URI: what is pinned at registration otherwise.
    """

    definition: Json
    scenarios: list[Scenario]
    definitions: list[Json] = msgspec.field(default_factory=list)
    functions: dict[str, Json] = msgspec.field(default_factory=dict)
    schemas: dict[str, Json] = msgspec.field(default_factory=dict)


def read(source: bytes) -> tuple[File, Document]:
    """The file, and where in it things stand. Raises `DefinitionUndecodable` and `DefinitionInvalid`."""
    document = parse(source, "application/yaml")
    try:
        file = msgspec.convert(document.value, File)
    except msgspec.ValidationError as error:
        raise _invalid(document, *_placed(str(error))) from None
    _check(file, document)
    return file, document


def duration_of(value: Json) -> timedelta:
    """Raises `ValueError` where it says none."""
    try:
        return timedelta(seconds=durations.seconds_of(durations.of(value)))
    except ValueError as error:
        if isinstance(value, str | dict):
            raise
        raise ValueError(f"{error}, found {kind_of(value)}") from None


def time_of(text: str) -> datetime:
    """In UTC. Raises `ValueError` where it says none, or none at which a clock may begin."""
    try:
        time = msgspec.convert(text, _Time).astimezone(UTC)
    except (msgspec.ValidationError, OverflowError):
        raise ValueError(
            f'expected a time as RFC 3339 writes it, such as 2026-01-01T00:00:00Z, found "{text[:60]}"'
        ) from None
    if time.year not in START_YEARS:
        raise ValueError(f'expected a time of the years {START_YEARS[0]} to {START_YEARS[-1]}, found "{text[:60]}"')
    return time


def _check(file: File, document: Document) -> None:
    problems = []
    if not file.scenarios:
        problems.append(("/scenarios", "expected at least one scenario, found none"))
    for index, scenario in enumerate(file.scenarios):
        problems += _faults(scenario, f"/scenarios/{index}")
    if problems:
        located = [_located(document, pointer, detail) for pointer, detail in problems]
        raise DefinitionInvalid(tuple(located))


def _faults(scenario: Scenario, place: str) -> list[tuple[str, str]]:
    found = []
    for reference, answers in scenario.answers.items():
        here = child(f"{place}/answers", reference)
        for number, answer in enumerate(answers if isinstance(answers, list) else [answers]):
            there = f"{here}/{number}" if isinstance(answers, list) else here
            if not answer.kind:
                found.append((there, f"expected exactly one of {', '.join(KINDS)}"))
            found += _fault(duration_of, answer.after, f"{there}/after")
    for number, event in enumerate(scenario.events):
        if event.at is not msgspec.UNSET:
            found += _fault(duration_of, event.at, f"{place}/events/{number}/at")
    for number, command in enumerate(scenario.commands):
        if command.command not in ("suspend", "resume", "cancel", "retry"):
            detail = f"expected suspend, resume, cancel or retry, found {command.command!r}"
            found.append((f"{place}/commands/{number}/command", detail))
        found += _fault(duration_of, command.at, f"{place}/commands/{number}/at")
    found += _fault(time_of, scenario.start, f"{place}/start")
    if scenario.expect.duration is not msgspec.UNSET:
        found += _fault(duration_of, scenario.expect.duration, f"{place}/expect/duration")
    return found + _fault(duration_of, scenario.until, f"{place}/until")


def _fault(read: Callable[[Any], object], value: Json, pointer: str) -> list[tuple[str, str]]:
    """What `read` has against the value."""
    try:
        read(value)
    except ValueError as error:
        return [(pointer, str(error))]
    return []


def _placed(message: str) -> tuple[str, str]:
    """msgspec says the path after the words: ``… - at `$.scenarios[0].name```."""
    words, _, path = message.partition(" - at `$")
    parts = re.findall(r"\.([^.\[\]`]+)|\[(\d+)\]|\[\.\.\.\]", path.rstrip("`"))
    return "".join(child("", name or number) for name, number in parts if name or number), words


def _invalid(document: Document, pointer: str, detail: str) -> DefinitionInvalid:
    return DefinitionInvalid((_located(document, pointer, detail),))


def _located(document: Document, pointer: str, detail: str) -> Problem:
    line, column = document.locate(pointer) or (None, None)
    return Problem(pointer, detail, line, column)
