"""The functions of a worker: what they take and give, and the functions of the catalog that they stand for."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from perdure.client.job import Job
from perdure.client.models import Json
from perdure.client.types import Shape, handler_types, shape_of

JOB_FUNCTION = "job:1.0.0@default"


@dataclass(frozen=True, slots=True)
class Handler:
    """A function for jobs of one type. `lease` is in seconds; `concurrency` jobs run at a time."""

    name: str
    version: str
    type: str
    function: Callable[[Job[Any]], Any]
    lease: float
    concurrency: int
    input: Shape
    output: Shape

    @property
    def blocks(self) -> bool:
        """Whether it is a plain function, which needs a thread."""
        return not inspect.iscoroutinefunction(self.function)

    def document(self) -> dict[str, Json]:
        """The function as the default catalog takes it (a ``function.yaml``)."""
        document: dict[str, Json] = {"call": JOB_FUNCTION, "with": {"type": self.type, "input": "${ . }"}}
        if self.output.schema is not None:
            document = {"output": {"schema": {"document": self.output.schema}}, **document}
        if self.input.schema is not None:
            document = {"input": {"schema": {"document": self.input.schema}}, **document}
        return document


def handler_of(
    function: Callable[[Job[Any]], Any],
    name: str,
    *,
    version: str,
    type_: str | None,
    lease: float,
    concurrency: int,
) -> Handler:
    """The handler. Raises `TypeError` for a function that can't be one, `ValueError` for numbers out of range."""
    if not 0.1 <= lease <= 86_400:
        raise ValueError(f"expected a lease of 0.1 to 86400 seconds, found {lease!r}")
    if concurrency < 1:
        raise ValueError(f"expected a concurrency of at least 1, found {concurrency!r}")
    input_, output = handler_types(function, Job)
    return Handler(
        name=name,
        version=version,
        type=type_ or name,
        function=function,
        lease=lease,
        concurrency=concurrency,
        input=shape_of(input_),
        output=shape_of(output, output=True),
    )
