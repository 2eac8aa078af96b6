"""The DSL's errors (DSL reference, "Error"): problem details whose instance is a task reference."""

import msgspec

BASE = "https://serverlessworkflow.io/spec/1.0.0/errors/"
"""The base under which standard error types are emitted."""

BASES = (
    BASE,
    "https://serverlessworkflow.io/dsl/errors/types/",
    "https://open-workflow-specification.org/spec/1.0.0/errors/",
)
"""The bases that a catch filter accepts for the same standard error."""

STATUS = {
    "configuration": 400,
    "validation": 400,
    "expression": 400,
    "authentication": 401,
    "authorization": 403,
    "timeout": 408,
    "communication": 500,
    "runtime": 500,
}
"""Standard error names and their default status."""


class Error(msgspec.Struct, frozen=True, omit_defaults=True):
    """One occurrence of an error. `instance` is the reference of the task it comes from."""

    type: str
    status: int
    title: str | None = None
    detail: str | None = None
    instance: str | None = None


def standard(name: str, detail: str, *, status: int | None = None, title: str | None = None) -> Error:
    """A standard error, `name` being a key of `STATUS`."""
    return Error(
        type=BASE + name,
        status=STATUS[name] if status is None else status,
        title=title or f"{name.capitalize()} error",
        detail=detail,
    )
