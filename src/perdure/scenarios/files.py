"""Plays the scenarios of a file: finds its definitions, plays them all, and adds up what they cover."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from perdure.codec import Json, encode
from perdure.definition.document import JSON_TYPES, parse
from perdure.definition.loader import compile_document, load
from perdure.definition.pins import FUNCTION, SCHEMA, Pin
from perdure.definition.problems import DefinitionInvalid, DefinitionUndecodable, Problem
from perdure.definition.program import Program
from perdure.expressions.contract import Evaluator
from perdure.scenarios.coverage import Coverage, coverage
from perdure.scenarios.document import File, Scenario, read
from perdure.scenarios.player import Outcome, Player
from perdure.secrets import PREFIX, Secrets

OpenEvaluator: TypeAlias = Callable[[Secrets], AbstractAsyncContextManager[Evaluator]]
"""Starts an evaluator that knows these secrets."""


class FileUnusable(Exception):
    """A file can't be read or is not valid. `problems` are those of `file`."""

    def __init__(self, file: str, problems: tuple[Problem, ...]) -> None:
        super().__init__(file)
        self.file = file
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Played:
    """All scenarios of one file."""

    outcomes: list[Outcome]
    coverage: Coverage


async def play(path: Path, open_evaluator: OpenEvaluator) -> Played:
    """Raises `FileUnusable`."""
    try:
        file, _ = read(_bytes(path))
    except DefinitionInvalid as invalid:
        raise FileUnusable(str(path), invalid.problems) from None
    except DefinitionUndecodable as undecodable:
        raise FileUnusable(str(path), (undecodable.problem,)) from None
    pins = _pins(file, path)
    program = _program(file.definition, path, "/definition", pins)
    children = [_program(value, path, f"/definitions/{n}", pins) for n, value in enumerate(file.definitions)]
    outcomes = [await _play(program, children, scenario, open_evaluator) for scenario in file.scenarios]
    return Played(outcomes, coverage(program, [life for outcome in outcomes for life in outcome.lives]))


async def _play(
    program: Program, children: list[Program], scenario: Scenario, open_evaluator: OpenEvaluator
) -> Outcome:
    """Each scenario has secrets of its own, so it gets an evaluator of its own."""
    async with open_evaluator(Secrets(_environment(scenario.secrets))) as evaluator:
        return await Player(program, children, evaluator).play(scenario)


def _environment(secrets: Mapping[str, Json]) -> dict[str, str]:
    return {
        PREFIX + name: value if isinstance(value, str) else encode(value).decode() for name, value in secrets.items()
    }


def _pins(file: File, path: Path) -> list[Pin]:
    """What stands for what is found elsewhere when a definition is registered."""
    given = [(FUNCTION, *item) for item in file.functions.items()] + [(SCHEMA, *item) for item in file.schemas.items()]
    pins = []
    for ordinal, (kind, key, value) in enumerate(given):
        source, media_type, name = _source(value, path, f"/{kind}s/{key}")
        try:
            pins.append(Pin(ordinal, kind, key, key, parse(source, media_type).value, own=True))
        except DefinitionUndecodable as undecodable:
            raise FileUnusable(name, (undecodable.problem,)) from None
    return pins


def _source(value: Json, path: Path, pointer: str) -> tuple[bytes, str, str]:
    """Text, media type and name of a document in place, or in a file beside the scenario file."""
    if isinstance(value, str):
        place = path.parent / value
        return _bytes(place), _media_type(place), str(place)
    return encode(value), "application/json", f"{path} ({pointer})"


def _program(value: Json, path: Path, pointer: str, pins: list[Pin]) -> Program:
    """The program of a definition."""
    source, media_type, name = _source(value, path, pointer)
    try:
        definition = load(source, media_type)
    except DefinitionInvalid as invalid:
        raise FileUnusable(name, invalid.problems) from None
    except DefinitionUndecodable as undecodable:
        raise FileUnusable(name, (undecodable.problem,)) from None
    program = compile_document(definition.document, pins) if definition.needs else definition.program
    if program.missing:
        detail = f"give what stands for {', '.join(sorted(program.missing))} under `functions` of the scenario file"
        raise FileUnusable(name, (Problem("", detail),))
    return program


def _media_type(path: Path) -> str:
    media_type = f"application/{path.suffix.removeprefix('.')}"
    return media_type if media_type in JSON_TYPES else "application/yaml"


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FileUnusable(str(path), (Problem("", f"can't be read: {error.strerror}"),)) from None
