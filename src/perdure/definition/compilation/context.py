"""What every part of the compilation needs: the declared components, the evaluation mode, the tasks so far."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from perdure.codec import Json
from perdure.definition import durations, interpolation, schemas
from perdure.definition.pins import Pin, Pins, schema_key, schema_missing
from perdure.definition.pointers import child
from perdure.definition.problems import unavailable
from perdure.definition.program import DurationTemplate, Schema, Task
from perdure.definition.template import Expression, Template, expressions_of
from perdure.definition.uses import Uses


class Context:
    """Collects the tasks and expressions of one program."""

    def __init__(self, uses: Uses, pins: Pins, *, loose: bool) -> None:
        self.uses = uses
        self.pins = pins
        self.expressions: list[Expression] = []
        self.called: dict[str, None] = {}
        """Functions of ``use.functions`` that are called, in the order in which they were met."""
        self.missing: set[str] = set()
        """Functions that are called and not pinned."""
        self.extending: Mapping[str, Json] | None = None
        """The extension whose tasks are being compiled."""
        self._loose = loose
        self._tasks: list[Task | None] = []

    @contextmanager
    def pinned(self, pin: Pin) -> Iterator[None]:
        """Within, a function from outside the document is compiled, for which the document's names mean nothing."""
        before = self.uses, self._loose
        self.uses, self._loose = self.uses.of_function(own=pin.own), False
        try:
            yield
        finally:
            self.uses, self._loose = before

    @contextmanager
    def extension(self, value: Mapping[str, Json]) -> Iterator[None]:
        """Within, the tasks of an extension are compiled."""
        self.extending = value
        try:
            yield
        finally:
            self.extending = None

    def reserve(self) -> int:
        """The index of a task that is compiled after its own tasks, but stands before them."""
        self._tasks.append(None)
        return len(self._tasks) - 1

    def place(self, task: Task) -> None:
        self._tasks[task.index] = task

    @property
    def tasks(self) -> tuple[Task, ...]:
        assert all(task is not None for task in self._tasks)
        return tuple(task for task in self._tasks if task is not None)

    def template(self, value: Json, pointer: str) -> Template:
        return self._remember(interpolation.template_of(value, pointer, loose=self._loose))

    def optional_template(self, holder: Mapping[str, Json], key: str, pointer: str) -> Template | None:
        return self.template(holder[key], child(pointer, key)) if key in holder else None

    def expression(self, text: str, pointer: str) -> Expression:
        found = interpolation.expression(text, pointer)
        self.expressions.append(found)
        return found

    def optional_expression(self, holder: Mapping[str, Json], key: str, pointer: str) -> Expression | None:
        return self.expression(holder[key], child(pointer, key)) if key in holder else None

    def expression_template(self, value: Json, pointer: str) -> Template:
        """What ``from``, ``as`` and ``set`` hold: a string is an expression, with or without ``${ }``."""
        if not isinstance(value, str):
            return self.template(value, pointer)
        return self._remember(interpolation.expression_template(value, pointer, loose=self._loose))

    def duration(self, value: Json, pointer: str) -> DurationTemplate:
        if isinstance(value, str) and interpolation.OPENING in value:
            return self.template(value, pointer)
        return durations.of(value)

    def optional_duration(self, holder: Mapping[str, Json], key: str, pointer: str) -> DurationTemplate | None:
        return self.duration(holder[key], child(pointer, key)) if key in holder else None

    def timeout(self, holder: Mapping[str, Json], pointer: str) -> DurationTemplate | None:
        """The ``timeout`` of a task or workflow, in place or by name."""
        value = holder.get("timeout")
        if value is None:
            return None
        if isinstance(value, str):
            return self.duration(self.uses.timeouts[value]["after"], f"{child('/use/timeouts', value)}/after")
        return self.duration(value["after"], f"{pointer}/timeout/after")

    def data(
        self, holder: Mapping[str, Json], key: str, pointer: str, by: str
    ) -> tuple[Schema | None, Template | None]:
        """The schema and the transformation under ``input`` (by ``from``), ``output`` or ``export`` (by ``as``)."""
        value: Mapping[str, Any] = holder.get(key) or {}
        schema = self._schema(value["schema"]) if "schema" in value else None
        transformation = self.expression_template(value[by], f"{pointer}/{key}/{by}") if by in value else None
        return schema, transformation

    def _schema(self, value: Mapping[str, Any]) -> Schema:
        format_ = value.get("format", schemas.JSON)
        if format_ != schemas.JSON:
            return schemas.unusable(unavailable(*schemas.unknown_format(format_)))
        if "document" in value:
            return _usable(value["document"], self.pins.resources)
        endpoint = value["resource"]["endpoint"]
        pin = self.pins.schemas.get(schema_key(endpoint))
        if pin is None:
            return schemas.unusable(unavailable(*schema_missing(endpoint)))
        # By its URI where others are relative to that; else as it is, for its own dialect to hold.
        document = {"$ref": pin.uri} if schemas.outside(pin.document, pin.uri) else pin.document
        return _usable(document, self.pins.resources)

    def _remember(self, template: Template) -> Template:
        self.expressions.extend(expressions_of(template))
        return template


def _usable(document: Json, resources: Mapping[str, Json]) -> Schema:
    """The schema, or one that says why it can't be used, as documents that it refers to may be missing or wrong."""
    try:
        return schemas.compiled(document, resources)
    except schemas.SchemaInvalid as error:
        return schemas.unusable(f"the schema can't be used: {error}")
