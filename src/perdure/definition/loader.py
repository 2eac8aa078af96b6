"""From text to a definition that can be registered and run."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from perdure.codec import Json
from perdure.definition.checks import workflow as checks
from perdure.definition.compilation import workflow
from perdure.definition.document import Document, Position, parse
from perdure.definition.pins import Need, Pin
from perdure.definition.problems import DefinitionInvalid, Problem
from perdure.definition.program import Program
from perdure.definition.template import Expression


@dataclass(frozen=True, slots=True)
class Definition:
    """A valid definition."""

    document: Json
    """The definition as decoded JSON."""
    namespace: str
    name: str
    version: str
    title: str | None
    summary: str | None
    program: Program
    warnings: tuple[Problem, ...]
    """What is allowed, but perhaps not meant: fields that the DSL's schema leaves open, for one."""
    needs: tuple[Need, ...]
    """What it needs from outside the document."""
    expressions: tuple[Expression, ...]
    """Every expression whose syntax must be right; those with a `fallback` (loose evaluation) may be malformed."""
    source: Document = field(repr=False)

    def locate(self, pointer: str) -> Position | None:
        """Line and column, from 1, of the value that a JSON Pointer names; None if there is none."""
        return self.source.locate(pointer)


def load(source: bytes, media_type: str) -> Definition:
    """Read, validate and compile a definition.

    `media_type` is that of YAML or JSON. Raises `DefinitionUndecodable` where the text can't be read, and
    `DefinitionInvalid` with every fault found, each with its place in the text.
    """
    document = parse(source, media_type)
    report = checks.check(document)
    if report.problems:
        raise DefinitionInvalid(report.problems)
    head = document.value["document"]
    return Definition(
        document=document.value,
        namespace=head["namespace"],
        name=head["name"],
        version=head["version"],
        title=head.get("title"),
        summary=head.get("summary"),
        program=workflow.program(document.value),
        warnings=report.warnings,
        needs=report.needs,
        expressions=tuple(dict.fromkeys(e for e in report.expressions if e.fallback is None)),
        source=document,
    )


def compile_document(document: Json, pins: Iterable[Pin] = ()) -> Program:
    """The program of a stored document, which was validated when it was registered, with what was found for it."""
    return workflow.program(document, pins)
