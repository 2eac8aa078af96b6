"""Functions that are documents of their own (DSL, "Custom and Non-Standard Interactions"): each is one task."""

from dataclasses import dataclass, field

from perdure.codec import Json
from perdure.definition.checks import workflow as checks
from perdure.definition.document import Document, Position, parse
from perdure.definition.pins import Need
from perdure.definition.problems import DefinitionInvalid, Problem
from perdure.definition.template import Expression
from perdure.definition.tree import Node
from perdure.definition.uses import Uses


@dataclass(frozen=True, slots=True)
class Function:
    """A valid function. The fields mean what those of `loader.Definition` do."""

    document: Json
    warnings: tuple[Problem, ...]
    needs: tuple[Need, ...]
    expressions: tuple[Expression, ...]
    source: Document = field(repr=False)

    def locate(self, pointer: str) -> Position | None:
        return self.source.locate(pointer)


def load(source: bytes, media_type: str, uses: Uses | None = None) -> Function:
    """Read and validate a function.

    `uses` is what the definition that calls it declares; without it the function is one to be published, and what
    its callers must declare is a warning. Raises `DefinitionUndecodable` and `DefinitionInvalid`.
    """
    document = parse(source, media_type)
    report = checks.check_function(document, uses)
    if report.problems:
        raise DefinitionInvalid(report.problems)
    return Function(
        document=document.value,
        warnings=report.warnings,
        needs=report.needs,
        expressions=tuple(dict.fromkeys(report.expressions)),
        source=document,
    )


def needs_of(function: Json, uses: Uses) -> tuple[Need, ...]:
    """What a valid function needs from outside itself."""
    return checks.check_function(Document(Node(function, 1, 1)), uses).needs
