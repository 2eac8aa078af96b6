"""Schedules of definitions."""

from collections.abc import Mapping

from perdure.codec import Json
from perdure.definition import cron, durations
from perdure.definition.compilation import events
from perdure.definition.compilation.context import Context
from perdure.definition.program import Schedule


def schedule(context: Context, document: Mapping[str, Json]) -> Schedule | None:
    """What a valid document says of its schedule, or None."""
    value = document.get("schedule")
    if value is None:
        return None
    options = options_of(document)
    return Schedule(
        every=durations.of(value["every"]) if "every" in value else None,
        cron=cron.normal(value["cron"]) if "cron" in value else None,
        after=durations.of(value["after"]) if "after" in value else None,
        on=events.strategy(context, value["on"], "/schedule/on") if "on" in value else None,
        timezone=options.get("timezone", "UTC"),
        overlap=options.get("overlap", "allow"),
        catch_up=options.get("catchUp", "latest"),
    )


def options_of(document: Mapping[str, Json]) -> Mapping[str, Json]:
    """``document.metadata.perdure.schedule``: metadata are free, so anything may stand where it should."""
    found: Json = document
    for name in ("document", "metadata", "perdure", "schedule"):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}
