"""What is wrong with a definition, said so that its author can mend it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault or warning.

    `pointer` is the JSON Pointer (RFC 6901) of the place; `line` and `column` count from 1 and are known
    where the document came as text.
    """

    pointer: str
    detail: str
    line: int | None = None
    column: int | None = None


def unavailable(what: str, hint: str = "") -> str:
    """Says that something valid can't be used here; the same words at registration and in the error at the use."""
    return f"{what} is not available{f'; {hint}' if hint else ''}"


class DefinitionInvalid(Exception):
    """The definition (or what `subject` says) can't be registered. `problems` holds every fault found."""

    def __init__(self, problems: tuple[Problem, ...], subject: str = "definition") -> None:
        super().__init__("; ".join(f"{p.pointer}: {p.detail}" for p in problems))
        self.problems = problems
        self.subject = subject


class DefinitionUndecodable(Exception):
    """The text is not YAML or JSON, or breaks a bound (size, depth, aliases)."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem
