"""Rows to records, and records to columns."""

from collections.abc import Sequence
from typing import Any

import msgspec
from asyncpg import Record

from perdure.codec import decode, encode
from perdure.definition.pins import Pin
from perdure.engine.errors import Error
from perdure.engine.step import Waiting, waits_to_begin
from perdure.store import records

_error = msgspec.json.Decoder(Error)
_waiting = msgspec.json.Decoder(tuple[Waiting, ...])


def json_text(value: Any) -> str | None:
    """A value for a json column; None stays null."""
    return None if value is None else encode(value).decode()


def columns(rows: Sequence[tuple[Any, ...]], count: int | None = None) -> list[tuple[Any, ...]]:
    """Rows to the column arrays that unnest takes; `count` says how many there are of no rows."""
    return list(zip(*rows, strict=True)) if rows else [()] * (count or 0)


def definition(row: Record) -> records.DefinitionRecord:
    return records.DefinitionRecord(**dict(row))


def function(row: Record) -> records.FunctionRecord:
    return records.FunctionRecord(**dict(row))


def pin(row: Record) -> Pin:
    fields = dict(row)
    fields["document"] = decode(fields["document"])
    return Pin(**fields)


def process(row: Record) -> records.ProcessRecord:
    fields = dict(row)
    fields["tags"] = decode(fields["tags"]) if fields["tags"] else {}
    fields["error"] = _error.decode(fields["error"]) if fields["error"] else None
    fields["waiting"] = _waiting.decode(fields["waiting"]) if fields["waiting"] else ()
    if not fields["waiting"] and fields["ended_at"] is None:
        fields["waiting"] = (waits_to_begin(fields["id"], fields["created_at"]),)
    return records.ProcessRecord(**fields)


def activity(row: Record) -> records.ActivityRecord:
    fields = dict(row)
    fields["iteration"] = tuple(fields["iteration"])
    fields["progress"] = decode(fields["progress"]) if fields["progress"] else None
    fields["error"] = _error.decode(fields["error"]) if fields["error"] else None
    return records.ActivityRecord(**fields)


def history(row: Record) -> records.HistoryRecord:
    fields = dict(row)
    fields["data"] = decode(fields["data"])
    return records.HistoryRecord(**fields)


def human_task(row: Record) -> records.HumanTaskRecord:
    fields = dict(row)
    for name in ("assignees", "candidate_groups", "exclude_users", "outcomes"):
        fields[name] = tuple(fields[name])
    fields["form"] = decode(fields["form"])
    fields["output"] = decode(fields["output"]) if fields["output"] else None
    return records.HumanTaskRecord(**fields)


def key(row: Record) -> records.KeyRecord:
    return records.KeyRecord(**dict(row))
