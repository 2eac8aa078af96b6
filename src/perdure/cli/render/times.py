"""Times and durations in words."""

from datetime import datetime, timedelta

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def parse(text: str) -> datetime:
    """An RFC 3339 time."""
    return datetime.fromisoformat(text)


def duration(length: timedelta) -> str:
    """How long, to about two digits that matter; empty where it is nothing to speak of.

    Never negative: the clocks of two machines may differ.
    """
    seconds = max(length.total_seconds(), 0.0)
    if seconds < 0.0005:
        return ""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return _two(whole, _MINUTE, "min", 1, "s")
    if whole < _DAY:
        return _two(whole, _HOUR, "h", _MINUTE, "min")
    return _two(whole, _DAY, "d", _HOUR, "h")


def moment(at: datetime, now: datetime) -> str:
    """A time of day in the reader's time zone, with the date where that is another."""
    local, today = at.astimezone(), now.astimezone()
    if local.date() == today.date():
        return f"{local:%H:%M:%S}"
    return f"{local:%Y-%m-%d %H:%M}"


def between(start: str | None, end: str | None, now: datetime) -> str:
    """How long from start to end, or to now where there is no end; empty where nothing has started."""
    if start is None:
        return ""
    return duration((parse(end) if end else now) - parse(start))


def _two(seconds: int, large: int, large_unit: str, small: int, small_unit: str) -> str:
    rest = seconds % large // small
    return f"{seconds // large} {large_unit}" + (f" {rest} {small_unit}" if rest else "")
