"""Rows to records."""

from typing import Any

import msgspec
from asyncpg import Record

from perdure.codec import decode, encode
from perdure.definition.pins import Pin
from perdure.engine.draft import PROCESS_REFERENCE
from perdure.engine.errors import Error
from perdure.engine.step import Waiting
from perdure.store import contract

_error = msgspec.json.Decoder(Error)
_waiting = msgspec.json.Decoder(tuple[Waiting, ...])


def json_text(value: Any) -> str | None:
    """A value for a json column; None stays null."""
    return None if value is None else encode(value).decode()


def definition(row: Record) -> contract.DefinitionRecord:
    return contract.DefinitionRecord(**dict(row))


def function(row: Record) -> contract.FunctionRecord:
    return contract.FunctionRecord(**dict(row))


def pin(row: Record) -> Pin:
    fields = dict(row)
    fields["document"] = decode(fields["document"])
    return Pin(**fields)


def process(row: Record) -> contract.ProcessRecord:
    fields = dict(row)
    fields["tags"] = decode(fields["tags"]) if fields["tags"] else {}
    fields["error"] = _error.decode(fields["error"]) if fields["error"] else None
    fields["waiting"] = _waiting.decode(fields["waiting"]) if fields["waiting"] else _waits_to_begin(fields)
    return contract.ProcessRecord(**fields)


def _waits_to_begin(process: dict[str, Any]) -> tuple[Waiting, ...]:
    """Until its first step a process waits just for that, or has ended."""
    if process["ended_at"] is not None:
        return ()
    return (Waiting(process["id"], PROCESS_REFERENCE, "step", process["created_at"]),)


def activity(row: Record) -> contract.ActivityRecord:
    fields = dict(row)
    fields["iteration"] = tuple(fields["iteration"])
    fields["progress"] = decode(fields["progress"]) if fields["progress"] else None
    fields["error"] = _error.decode(fields["error"]) if fields["error"] else None
    return contract.ActivityRecord(**fields)


def history(row: Record) -> contract.HistoryRecord:
    fields = dict(row)
    fields["data"] = decode(fields["data"])
    return contract.HistoryRecord(**fields)


def human_task(row: Record) -> contract.HumanTaskRecord:
    fields = dict(row)
    for name in ("assignees", "candidate_groups", "exclude_users", "outcomes"):
        fields[name] = tuple(fields[name])
    fields["form"] = decode(fields["form"])
    fields["output"] = decode(fields["output"]) if fields["output"] else None
    return contract.HumanTaskRecord(**fields)


def key(row: Record) -> contract.KeyRecord:
    return contract.KeyRecord(**dict(row))
