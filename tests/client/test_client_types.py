"""Types of handlers: what is decoded, encoded, and said as a schema."""

from dataclasses import dataclass
from datetime import date
from typing import Any, TypedDict

import jsonschema_rs
import msgspec
import pydantic
import pytest

from perdure.client import Job, Worker
from perdure.client.types import CannotDecode, shape_of


@dataclass
class Line:
    sku: str
    quantity: int = 1


@dataclass
class DataclassOrder:
    order: str
    day: date
    lines: list[Line]


class StructLine(msgspec.Struct):
    sku: str
    quantity: int = 1


class StructOrder(msgspec.Struct):
    order: str
    day: date
    lines: list[StructLine]


class ModelLine(pydantic.BaseModel):
    sku: str
    quantity: int = 1


class ModelOrder(pydantic.BaseModel):
    order: str
    day: date
    lines: list[ModelLine]


class DictOrder(TypedDict):
    order: str
    day: str
    lines: list[dict[str, Any]]


BUILT = {
    DataclassOrder: DataclassOrder("A-1", date(2026, 11, 23), [Line("mug")]),
    StructOrder: StructOrder("A-1", date(2026, 11, 23), [StructLine("mug")]),
    ModelOrder: ModelOrder(order="A-1", day=date(2026, 11, 23), lines=[ModelLine(sku="mug")]),
}
ORDER = {"order": "A-1", "day": "2026-11-23", "lines": [{"sku": "mug"}]}
FULL = {**ORDER, "lines": [{"sku": "mug", "quantity": 1}]}


@pytest.mark.parametrize("type_", [DataclassOrder, StructOrder, ModelOrder])
@pytest.mark.parametrize("output", [False, True])
def test_orders_of_every_kind(type_: Any, output: bool) -> None:
    shape = shape_of(type_, output=output)
    assert shape.decode(ORDER) == BUILT[type_]
    assert shape.encode(BUILT[type_]) == FULL
    jsonschema_rs.validate(shape.schema, FULL)
    with pytest.raises(CannotDecode, match="day"):
        shape.decode({**ORDER, "day": "someday"})
    with pytest.raises(jsonschema_rs.ValidationError):
        jsonschema_rs.validate(shape.schema, {"order": 1})


def test_models_within_other_types() -> None:
    shape = shape_of(list[ModelLine] | None)
    assert shape.decode([{"sku": "mug"}]) == [ModelLine(sku="mug")]
    assert shape.encode([ModelLine(sku="mug")]) == [{"sku": "mug", "quantity": 1}]
    assert shape.decode(None) is None


def test_plain_types_and_none_at_all() -> None:
    assert shape_of(DictOrder).decode(FULL) == FULL
    assert shape_of(int).schema == {"type": "integer"}
    assert shape_of(Any).schema is None
    assert shape_of(Any).encode(ModelLine(sku="mug")) == {"sku": "mug", "quantity": 1}
    assert shape_of(Any).encode([StructLine("mug")]) == [{"sku": "mug", "quantity": 1}]
    with pytest.raises(TypeError, match="no place in JSON"):
        shape_of(Any).encode(object())
    with pytest.raises(TypeError, match="expected a type that JSON can hold"):
        shape_of(type)


def test_the_document_of_a_function() -> None:
    worker = Worker()

    @worker.job("ship-order", version="1.2.0", lease=5)
    async def ship(job: Job[DataclassOrder]) -> Line: ...

    @worker.job("anything", type="any")
    def anything(job: Job): ...

    first, second = (handler.document() for handler in worker.handlers)
    assert first["call"] == "job:1.0.0@default"
    assert first["with"] == {"type": "ship-order", "input": "${ . }"}
    jsonschema_rs.validate(first["input"]["schema"]["document"], ORDER)
    jsonschema_rs.validate(first["output"]["schema"]["document"], FULL["lines"][0])
    assert second == {"call": "job:1.0.0@default", "with": {"type": "any", "input": "${ . }"}}


def test_what_can_not_be_a_handler() -> None:
    worker = Worker()
    with pytest.raises(TypeError, match="one argument"):
        worker.job("a")(lambda: None)
    with pytest.raises(TypeError, match="one argument"):
        worker.job("a")(lambda job, other: None)
    with pytest.raises(TypeError, match="to be a Job"):

        @worker.job("a")
        def wrong(job: int): ...

    with pytest.raises(ValueError, match="lease"):
        worker.job("a", lease=0)(lambda job: None)
    worker.job("a")(lambda job: None)
    with pytest.raises(ValueError, match="already"):
        worker.job("a")(lambda job: None)
