"""Event consumption strategies."""

from collections.abc import Mapping

from perdure.codec import Json
from perdure.definition.compilation.context import Context
from perdure.definition.pointers import child
from perdure.definition.program import Correlation, EventFilter, Strategy
from perdure.definition.template import Expression


def strategy(context: Context, value: Mapping[str, Json], pointer: str) -> Strategy:
    mode = next(mode for mode in ("all", "any", "one") if mode in value)
    place = child(pointer, mode)
    filters = (
        [_filter(context, value[mode], place)]
        if mode == "one"
        else [_filter(context, item, child(place, index)) for index, item in enumerate(value[mode])]
    )
    return Strategy(mode=mode, filters=tuple(filters), until=_until(context, value, pointer))


def _until(context: Context, value: Mapping[str, Json], pointer: str) -> Expression | Strategy | None:
    until = value.get("until")
    if until is None:
        return None
    place = child(pointer, "until")
    return context.expression(until, place) if isinstance(until, str) else strategy(context, until, place)


def _filter(context: Context, value: Mapping[str, Json], pointer: str) -> EventFilter:
    attributes = {name: context.template(item, child(f"{pointer}/with", name)) for name, item in value["with"].items()}
    correlations = [
        _correlation(context, name, item, child(f"{pointer}/correlate", name))
        for name, item in (value.get("correlate") or {}).items()
    ]
    return EventFilter(attributes, tuple(correlations))


def _correlation(context: Context, name: str, value: Mapping[str, Json], pointer: str) -> Correlation:
    return Correlation(
        name,
        context.expression(value["from"], child(pointer, "from")),
        context.optional_template(value, "expect", pointer),
    )
