"""How ours compares with others, where one run has measured both: always so that more is better for ours."""

from collections.abc import Mapping, Sequence

from bench.figures import Figure

PEER = "peer"
MORE_IS_BETTER = ("activities/s", "calls/s", "ratio")
SECONDS_MIN = 0.1
"""What `recover.time` is told apart by: at once may be none at all, by which nothing can be divided."""


def ratios(figures: Sequence[Figure]) -> list[Figure]:
    """Of each `peer.NAME.WHAT` for which we have a figure as well: `ratio.NAME.WHAT`."""
    known = {figure.name: figure.median for figure in figures}
    found = []
    for figure in figures:
        kind, _, rest = figure.name.partition(".")
        name, _, what = rest.partition(".")
        ours = _ours(what, known) if kind == PEER else None
        if ours is not None:
            found.append(Figure(f"ratio.{name}.{what}", "ratio", [_ratio(ours, figure.median, figure.unit)]))
    return found


def _ratio(ours: float, theirs: float, unit: str) -> float:
    if unit in MORE_IS_BETTER:
        return ours / theirs
    if unit == "s":
        return max(theirs, SECONDS_MIN) / max(ours, SECONDS_MIN)
    return theirs / ours


def _ours(what: str, known: Mapping[str, float]) -> float | None:
    """The figure of that name; beside as many parked processes, or the fewest more that we were measured with."""
    parked, _, rest = what.partition(".")
    if parked != "parked":
        return known.get(what)
    number, _, figure = rest.partition(".")
    more = [n for n in _parked(known) if n >= int(number)]
    if not more:
        return None
    beside = known[f"parked.{min(more)}.sequence"]
    if figure == "sequence":
        return beside
    return beside / known["sequence.rate"] if "sequence.rate" in known else None


def _parked(known: Mapping[str, float]) -> list[int]:
    names = [name.split(".") for name in known]
    return [int(parts[1]) for parts in names if parts[0] == "parked" and parts[2:] == ["sequence"]]
