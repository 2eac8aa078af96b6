"""The process that a tick of a schedule starts, and which schedule and tick it says it comes from."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from perdure import clock
from perdure.codec import Json
from perdure.definition import durations
from perdure.definition.cron import normal
from perdure.engine.dataflow import text_of
from perdure.engine.facts import ProcessStarted
from perdure.engine.refs import ref_of
from perdure.engine.schedules import Cron, Every, Rhythm
from perdure.store.facts import encode_fact
from perdure.store.records import NewProcess
from perdure.store.schedules import ScheduleRecord

TAG_SCHEDULE = "perdure.schedule"
TAG_TICK = "perdure.tick"
TAG_BY = "perdure.startedBy"


def new_process(record: ScheduleRecord, at: datetime, input_: Json, *, actor: str, by: str = "schedule") -> NewProcess:
    """`by`: ``schedule``, ``trigger`` or ``backfill``."""
    reference, payload = ref_of(input_)
    tags: Mapping[str, str] = {TAG_SCHEDULE: str(record.id), TAG_TICK: text_of(at), TAG_BY: by}
    return NewProcess(
        id=clock.uuid7(),
        tenant=record.tenant,
        namespace=record.namespace,
        name=record.name,
        version=record.version,
        key=None,
        tags=tags,
        seed=clock.random_bytes(32),
        input=reference,
        payload=payload,
        fact=encode_fact(ProcessStarted(input=input_, actor=actor)),
    )


def rhythm_of(record: ScheduleRecord) -> Rhythm | None:
    """The ticks of a schedule of the kind ``every`` or ``cron``; None for others."""
    match record.kind:
        case "every":
            return Every(record.anchor, durations.of(record.expression))
        case "cron":
            return Cron(normal(record.expression), ZoneInfo(record.timezone))
        case _:
            return None
