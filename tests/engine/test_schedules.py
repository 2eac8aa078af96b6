"""When schedules are due: pure tables."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from perdure.definition import cron
from perdure.definition.program import Duration
from perdure.engine import schedules
from perdure.engine.schedules import LATE_SECONDS, Admitted, Cron, Due, Every, admit, between, due, following, latest

BERLIN = ZoneInfo("Europe/Berlin")
MICROSECOND = timedelta(microseconds=1)
ANCHOR = datetime(2026, 1, 1, 10, 0, 0, 250_000, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_every_has_a_grid_without_drift() -> None:
    every = Every(ANCHOR, Duration(0, 0.3))
    moment = ANCHOR
    for number in range(1, 2001):
        moment = following(every, moment)
        assert moment == ANCHOR + number * timedelta(milliseconds=300)
    assert following(every, moment + timedelta(milliseconds=299)) == moment + timedelta(milliseconds=300)
    assert latest(every, moment + timedelta(milliseconds=299)) == moment
    assert latest(every, moment) == moment


def test_every_month_keeps_its_day() -> None:
    every = Every(at("2026-01-31T08:00:00Z"), Duration(1, 0.0))
    assert [tick.date().isoformat() for tick in islice(schedules.ticks_after(every, every.anchor), 5)] == [
        "2026-02-28",
        "2026-03-31",
        "2026-04-30",
        "2026-05-31",
        "2026-06-30",
    ]
    assert between(every, at("2025-10-01T00:00:00Z"), at("2025-12-31T23:00:00Z"), 9) == [
        at("2025-10-31T08:00:00Z"),
        at("2025-11-30T08:00:00Z"),
        at("2025-12-31T08:00:00Z"),
    ]


@pytest.mark.parametrize("interval", [Duration(0, 7.0), Duration(1, 0.0), Duration(1, 86_400.0 * 3), Duration(36, 1.0)])
def test_every_tick_counts_from_its_very_moment(interval: Duration) -> None:
    every = Every(at("2026-01-31T08:00:00Z"), interval)
    for number in (-400, -40, -1, 0, 1, 40, 400):
        tick = every.at(number)
        assert [every.number(tick - MICROSECOND), every.number(tick)] == [number - 1, number]


def test_every_ends_with_the_calendar() -> None:
    every = Every(ANCHOR, Duration(12 * 999, 0.0))
    assert len(list(schedules.ticks_after(every, ANCHOR))) == 7
    ages = Every(ANCHOR, Duration(0, 3e11))
    assert following(ages, ANCHOR) is None
    assert latest(ages, ANCHOR - MICROSECOND) is None
    assert due(ages, ANCHOR, ANCHOR, "all") == Due((ANCHOR,), None)


DAYLIGHT = {
    "the skipped time comes right after the gap": (
        "30 2 * * *",
        "2026-03-28T12:00:00+01:00",
        ["2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"],
    ),
    "the time that comes twice comes once": (
        "30 2 * * *",
        "2026-10-24T12:00:00+02:00",
        ["2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"],
    ),
    "each half hour in spring": (
        "*/30 * * * *",
        "2026-03-29T01:00:00+01:00",
        ["2026-03-29T01:30:00+01:00", "2026-03-29T03:00:00+02:00", "2026-03-29T03:30:00+02:00"],
    ),
    "each half hour in autumn": (
        "*/30 * * * *",
        "2026-10-25T01:30:00+02:00",
        [
            "2026-10-25T02:00:00+02:00",
            "2026-10-25T02:30:00+02:00",
            "2026-10-25T02:00:00+01:00",
            "2026-10-25T02:30:00+01:00",
            "2026-10-25T03:00:00+01:00",
        ],
    ),
    "noon stays noon in spring": (
        "0 12 * * *",
        "2026-03-28T12:00:00+01:00",
        ["2026-03-29T12:00:00+02:00", "2026-03-30T12:00:00+02:00"],
    ),
    "noon stays noon in autumn": (
        "0 12 * * *",
        "2026-10-24T12:00:00+02:00",
        ["2026-10-25T12:00:00+01:00", "2026-10-26T12:00:00+01:00"],
    ),
}


@pytest.mark.parametrize("case", DAYLIGHT)
def test_cron_over_changes_of_the_clock(case: str) -> None:
    expression, moment, expected = DAYLIGHT[case]
    found = list(islice(schedules.ticks_after(Cron(expression, BERLIN), at(moment)), len(expected)))
    assert found == [at(text) for text in expected]
    assert all(tick.tzinfo is UTC for tick in found)
    for tick in found:  # backwards they are the same
        assert latest(Cron(expression, BERLIN), tick) == tick
        assert latest(Cron(expression, BERLIN), tick + timedelta(seconds=59)) == tick


def test_cron_in_utc_knows_no_daylight_saving() -> None:
    found = list(islice(schedules.ticks_after(Cron("30 2 * * *", ZoneInfo("UTC")), at("2026-03-28T12:00:00Z")), 2))
    assert found == [at("2026-03-29T02:30:00Z"), at("2026-03-30T02:30:00Z")]


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("@daily", "0 0 * * *"),
        ("@Weekly", "0 0 * * 0"),
        (" 5  4 * * MON-FRI ", "5 4 * * MON-FRI"),
        ("0 0 29 2 *", "0 0 29 2 *"),
    ],
)
def test_cron_text(text: str, normal: str) -> None:
    assert cron.normal(text) == normal


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "five fields"),
        ("* * * *", "found 4"),
        ("0 * * * * *", "no field for seconds"),
        ("60 * * * *", "minute"),
        ("* 24 * * *", "hour"),
        ("* * 0 * *", "day-of-month"),
        ("* * * 13 *", "month"),
        ("* * * * 8", "day-of-week"),
        ("0 0 30 2 *", "day-of-month"),
        ("@fortnightly", "@daily"),
        ("x" * 300, "at most 200"),
    ],
)
def test_cron_text_that_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        cron.normal(text)


MINUTE = Every(at("2026-01-01T00:00:00Z"), Duration(0, 60.0))
FIRST = at("2026-01-01T10:00:00Z")


def minutes(*numbers: int) -> tuple[datetime, ...]:
    return tuple(FIRST + timedelta(minutes=number) for number in numbers)


def test_ticks_between_include_both_ends() -> None:
    first, *_, last = minutes(0, 1, 2)
    assert between(MINUTE, first, last, 9) == list(minutes(0, 1, 2))
    assert between(MINUTE, first + MICROSECOND, last - MICROSECOND, 9) == list(minutes(1))
    assert between(MINUTE, first, last, 2) == list(minutes(0, 1))


DUE = {
    "on time": (0.0, "none", Due(minutes(0), minutes(1)[0])),
    "a little late": (29.0, "none", Due(minutes(0), minutes(1)[0])),
    "an outage, latest": (3610.0, "latest", Due(minutes(60), minutes(61)[0], (FIRST, minutes(60)[0]))),
    "an outage, none, the last just now": (3610.0, "none", Due(minutes(60), minutes(61)[0], (FIRST, minutes(60)[0]))),
    "an outage, none, the last just not late": (
        3630.0,
        "none",
        Due(minutes(60), minutes(61)[0], (FIRST, minutes(60)[0])),
    ),
    "an outage, none": (3640.0, "none", Due((), minutes(61)[0], (FIRST, minutes(60)[0]))),
    "an outage, all": (3610.0, "all", Due(minutes(*range(61)), minutes(61)[0])),
    "one missed, latest": (40.0, "latest", Due(minutes(0), minutes(1)[0])),
    "one missed, none": (40.0, "none", Due((), minutes(1)[0], (FIRST, FIRST))),
}


@pytest.mark.parametrize("case", DUE)
def test_what_is_due(case: str) -> None:
    late, catch_up, expected = DUE[case]
    assert due(MINUTE, FIRST, FIRST + timedelta(seconds=late), catch_up) == expected


@pytest.mark.parametrize(("late", "ticks"), [(LATE_SECONDS, 4), (LATE_SECONDS + 1, 1)])
def test_as_late_as_may_be_is_no_outage(late: float, ticks: int) -> None:
    often = Every(FIRST, Duration(0, 10.0))
    assert len(due(often, FIRST, FIRST + timedelta(seconds=late), "latest").ticks) == ticks


def test_catching_up_has_bounds() -> None:
    now = FIRST + timedelta(days=30)
    ticks: list[datetime] = []
    next_at, missed = FIRST, []
    while next_at <= now:
        turn = due(MINUTE, next_at, now, "all")
        assert len(turn.ticks) <= schedules.TICKS_PER_TURN_MAX
        ticks += turn.ticks
        missed.append(turn.missed)
        assert turn.next_at is not None
        next_at = turn.next_at
    assert len(ticks) == len(set(ticks)) == schedules.CATCH_UP_TICKS_MAX
    assert ticks[-1] == now
    assert missed[0] == (FIRST, ticks[0])
    assert missed[1:] == [None] * (len(missed) - 1)


ADMIT = {
    "allow": ("allow", 3, 5, 9, Admitted(start=minutes(0, 1, 2))),
    "skip, free": ("skip", 3, 0, 0, Admitted(start=minutes(0), skip=minutes(1, 2))),
    "skip, running": ("skip", 2, 1, 0, Admitted(skip=minutes(0, 1))),
    "queue, free": ("queue", 2, 0, 0, Admitted(start=minutes(0), queue=minutes(1))),
    "queue, running": ("queue", 2, 1, 0, Admitted(queue=minutes(0, 1))),
    "queue behind others": ("queue", 1, 0, 1, Admitted(queue=minutes(0))),
    "queue full": ("queue", 2, 1, schedules.QUEUED_MAX - 1, Admitted(queue=minutes(0), skip=minutes(1))),
    "queue full already": ("queue", 1, 1, schedules.QUEUED_MAX, Admitted(skip=minutes(0))),
    "nothing": ("skip", 0, 1, 0, Admitted()),
}


@pytest.mark.parametrize("case", ADMIT)
def test_what_overlap_makes_of_ticks(case: str) -> None:
    overlap, count, running, queued, expected = ADMIT[case]
    assert admit(overlap, minutes(*range(count)), running=running, queued=queued) == expected
