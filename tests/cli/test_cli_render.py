"""What commands show, from answers of the API as data."""

import io
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
import typer
from rich.console import Console

from perdure.cli import follow, values
from perdure.cli.render import history, problems, tables, times, tree, words
from perdure.client import ApiError, Unreachable

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
numbers = count()


def ago(seconds):
    return (NOW - timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def process(**changes):
    return {
        "id": "01a20af5-e631-784e-a857-f09f2d9ecc66",
        "definition": {"namespace": "shop", "name": "order", "version": "1.2.0"},
        "status": "running",
        "key": None,
        "tags": {},
        "input": {},
        "output": None,
        "error": None,
        "parent": None,
        "createdAt": ago(10),
        "startedAt": ago(10),
        "endedAt": None,
        "waitingFor": [],
        **changes,
    }


def activity(name, kind="set", status="completed", *, id_=None, parent=None, iteration=(), took=0.0, **changes):
    return {
        "id": id_ or f"activity-{next(numbers)}",
        "process": "01a20af5-e631-784e-a857-f09f2d9ecc66",
        "parent": parent,
        "reference": f"/do/0/{name}",
        "name": name,
        "kind": kind,
        "iteration": list(iteration),
        "status": status,
        "attempt": 1,
        "input": None,
        "output": None,
        "error": None,
        "createdAt": ago(10),
        "startedAt": ago(10),
        "endedAt": ago(10 - took) if status in {"completed", "faulted", "cancelled"} else None,
        **changes,
    }


def drawn(process, activities, **options):
    return [line.plain for line in tree.lines(process, activities, NOW, **options)]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-5, ""),
        (0.0001, ""),
        (0.24, "240 ms"),
        (4.23, "4.2 s"),
        (9.97, "10 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (125, "2 min 5 s"),
        (3 * 3600 + 12 * 60 + 59, "3 h 12 min"),
        (4 * 86400 + 3 * 3600, "4 d 3 h"),
        (30 * 86400, "30 d"),
    ],
)
def test_durations(seconds, said):
    assert times.duration(timedelta(seconds=seconds)) == said


def test_a_moment_of_another_day_has_its_date():
    assert times.moment(NOW, NOW) == f"{NOW.astimezone():%H:%M:%S}"
    later = NOW + timedelta(days=2)
    assert times.moment(later, NOW) == f"{later.astimezone():%Y-%m-%d %H:%M}"


def test_a_tree_nests_by_parent_and_tells_attempts_times_and_errors():
    refused = {"type": "https://example.com/errors/communication", "status": 503, "detail": "try\nlater"}
    shown = drawn(
        process(key="A-1"),
        [
            activity("fulfil", "try", "running", id_="t"),
            activity("ask", "call", "faulted", parent="t", took=0.35, error=refused),
            activity("pay", "call", "running", parent="t", attempt=3),
            activity("skipped", "call", "skipped", startedAt=None),
        ],
    )
    assert shown == [
        "● shop/order:1.2.0 running  10 s  key A-1",
        " ├─ ● fulfil  try  10 s",
        " │  ├─ ✗ ask  call  350 ms  communication 503: try later",
        " │  └─ ● pay  call  attempt 3  10 s",
        " └─ – skipped  call  skipped",
    ]


@pytest.mark.parametrize(
    ("reason", "since", "until", "said"),
    [
        ("callback", 12, None, "waits for its callback since 12 s"),
        ("human-task", 0.2, None, "waits for a person"),
        ("event", 12, -60, f"waits for an event since 12 s, until {times.moment(NOW + timedelta(seconds=60), NOW)}"),
        ("retry", 1, -3, "tries again in 3.0 s"),
        (
            "timer",
            20,
            -40,
            f"waits since 20 s, 40 s to go, until {times.moment(NOW + timedelta(seconds=40), NOW)}",
        ),
        ("timer", 20, 1, "waited, and is due"),
        ("retry", 20, 1, "tries again now"),
        ("something-new", 2, None, "waits for something-new since 2.0 s"),
    ],
)
def test_what_is_waited_for(reason, since, until, said):
    wait = {"activity": "a", "reference": "/do/0/a", "reason": reason, "since": ago(since)}
    if until is not None:
        wait["until"] = ago(until)
    assert words.waiting(wait, NOW) == said
    line = drawn(process(waitingFor=[wait]), [activity("a", "call", "waiting", id_="a")])[1]
    assert line == f" └─ ◷ a  call  10 s  {said}"


@pytest.mark.parametrize(
    ("reason", "since", "until", "told"),
    [
        ("call", 1, None, False),
        ("call", 3, None, True),
        ("retry", 1, -3, True),
        ("retry", 1, 0, False),
        ("human-task", 0.2, None, True),
    ],
)
def test_waits_that_are_over_soon_get_no_line(reason, since, until, told):
    wait = {"activity": "a", "reference": "/do/0/a", "reason": reason, "since": ago(since)}
    if until is not None:
        wait["until"] = ago(until)
    text = follow._told(activity("a", "try", "waiting"), wait, NOW, ascii_only=False)
    assert (text is not None) == told


def test_a_short_loop_is_shown_whole_and_a_body_of_one_task_on_one_line():
    body = [activity("copy", parent="loop", iteration=(index,)) for index in range(8)]
    shown = drawn(process(), [activity("each", "for", "running", id_="loop"), *body])
    assert shown[2:] == [f"    {'└' if index == 7 else '├'}─ [{index}] ✓ copy  set" for index in range(8)]


def test_a_long_loop_is_collapsed_to_its_ends_and_to_what_is_notable():
    statuses = {4_000: "faulted", 5_000: "running"}
    body = [
        activity("copy", parent="loop", iteration=(index,), status=statuses.get(index, "completed"))
        for index in range(10_000)
    ]
    shown = drawn(process(), [activity("each", "for", "running", id_="loop"), *body])
    assert shown[2:] == [
        "    ├─ [0] ✓ copy  set",
        "    ├─ [1] ✓ copy  set",
        "    ├─ [2] ✓ copy  set",
        "    ├─ … 3,997 more",
        "    ├─ [4000] ✗ copy  set",
        "    ├─ … 999 more",
        "    ├─ [5000] ● copy  set  10 s",
        "    ├─ … 4,996 more",
        "    ├─ [9997] ✓ copy  set",
        "    ├─ [9998] ✓ copy  set",
        "    └─ [9999] ✓ copy  set",
    ]


def test_what_a_collapsed_loop_hides_is_counted_where_it_is_not_completed():
    body = [activity("x", parent="loop", iteration=(index,), status="cancelled") for index in range(20)]
    assert "    ├─ … 14 more (14 cancelled)" in drawn(process(), [activity("e", "for", id_="loop"), *body])


def test_loops_in_loops_are_grouped_by_their_own_index():
    activities = [activity("outer", "for", "running", id_="o")]
    for i in range(2):
        activities.append(activity("inner", "for", id_=f"i{i}", parent="o", iteration=(i,)))
        activities.append(activity("after", parent="o", iteration=(i,)))
        activities += [activity("leaf", parent=f"i{i}", iteration=(i, j)) for j in range(2)]
    assert drawn(process(), activities)[2:9] == [
        "    ├─ [0] ",
        "    │  ├─ ✓ inner  for",
        "    │  │  ├─ [0] ✓ leaf  set",
        "    │  │  └─ [1] ✓ leaf  set",
        "    │  └─ ✓ after  set",
        "    └─ [1] ",
        "       ├─ ✓ inner  for",
    ]


def test_a_tree_in_ascii():
    shown = drawn(process(), [activity("a", "do", id_="a"), activity("b", parent="a")], ascii_only=True)
    assert shown[1:] == [" `- + a  do", "    `- + b  set"]
    assert all(line.isascii() for line in shown)


def test_an_activity_whose_parent_is_not_listed_is_still_shown():
    assert drawn(process(), [activity("orphan", parent="unknown")])[1] == " └─ ✓ orphan  set"


@pytest.mark.parametrize("height", [5, 20])
def test_a_tree_taller_than_its_window_keeps_its_head_and_its_end(height):
    shown = tree.lines(process(), [activity(f"t{index}") for index in range(12)], NOW)
    fitted = [line.plain for line in tree.fit(shown, height)]
    assert len(fitted) == min(height, 13)
    assert fitted[0] == shown[0].plain
    assert fitted[-1] == shown[-1].plain
    if height == 5:
        assert fitted[1] == "   … 9 lines above"


@pytest.mark.parametrize(
    ("event_type", "said"),
    [
        ("io.serverlessworkflow.task.completed.v1", "task completed"),
        ("io.serverlessworkflow.workflow.started.v1", "workflow started"),
        ("dev.perdure.fact.refused", "fact refused"),
        ("com.example.other", "com example other"),
    ],
)
def test_types_of_the_audit_trail_in_words(event_type, said):
    assert history.short_type(event_type) == said


def test_a_line_of_the_audit_trail_says_nothing_twice():
    entry = {
        "sequence": 7,
        "at": ago(0),
        "type": "io.serverlessworkflow.task.faulted.v1",
        "activity": "a",
        "actor": "perdure",
        "data": {
            "workflow": "x.y",
            "task": "/do/0/copy",
            "faultedAt": ago(0),
            "attempt": 2,
            "error": {"type": "https://x/timeout", "status": 408, "detail": "too late"},
        },
    }
    subject = history.name(activity("copy", iteration=(3, 1)))
    line = " ".join(history.line(entry, subject).plain.split())
    assert line == f"7 {history.clock_time(NOW)} task faulted copy[3][1] perdure attempt 2, timeout 408: too late"


def test_the_table_of_processes():
    wait = {"activity": "a", "reference": "/do/0/try/1/approve", "reason": "human-task", "since": ago(90)}
    console = Console(width=200, file=io.StringIO(), record=True)
    console.print(tables.processes([process(status="waiting", key="A-1", waitingFor=[wait, wait])], NOW))
    cells = console.export_text().splitlines()[2].split("  ")
    assert [cell.strip() for cell in cells if cell.strip()] == [
        "01a20af5-e631-784e-a857-f09f2d9ecc66",
        "shop/order:1.2.0",
        "◷ waiting",
        "A-1",
        times.moment(NOW - timedelta(seconds=10), NOW),
        "10 s",
        "approve waits for a person since 1 min 30 s (+1)",
    ]


@pytest.mark.parametrize(
    ("width", "shown", "left_out"),
    [
        (200, "id definition status key created took waits for", ""),
        (100, "id definition status key waits for", "created, took"),
        (80, "id definition status", "created, took, key, waits for"),
        (40, "id definition status", "created, took, key, waits for"),
    ],
)
def test_a_narrow_terminal_gets_the_columns_that_it_has_room_for(width, shown, left_out):
    wait = {"activity": "a", "reference": "/do/0/try/1/approve", "reason": "human-task", "since": ago(90)}
    console = Console(width=width, file=io.StringIO(), record=True)
    console.print(tables.processes([process(status="waiting", key="A-1", waitingFor=[wait, wait])], NOW))
    lines = console.export_text().splitlines()
    said = f"No room for: {left_out}. --json has all."
    if width >= 80:
        assert lines[0].split() == shown.split()
        assert lines[2].startswith("01a20af5-e631-784e-a857-f09f2d9ecc66   shop/order:1.2.0")
        assert lines[-1] == (said if left_out else lines[2])
    assert max(map(len, lines)) <= width


def test_faults_of_a_definition_are_said_as_compilers_do():
    faults = [
        {"pointer": "/do/0/pay", "detail": "expected more", "line": 3, "column": 7},
        {"pointer": "", "detail": "not YAML", "line": 9, "column": None},
        {"pointer": "/x", "detail": "unplaced"},
    ]
    assert problems.faults("a.yaml", faults) == [
        "a.yaml:3:7: error: /do/0/pay: expected more",
        "a.yaml:9: error: not YAML",
        "a.yaml: error: /x: unplaced",
    ]


def test_refusals_say_what_to_do():
    fault = {"pointer": "/key", "detail": "too long"}
    assert problems.refusal(ApiError(422, "Invalid", "The body is invalid.", [fault])) == [
        "The body is invalid.",
        "  /key: too long",
    ]
    assert "PERDURE_API_KEY" in problems.refusal(ApiError(401, "Unauthorized", "no key"))[-1]
    assert "`perdure dev`" in problems.unreachable(Unreachable("http://x", "refused"))[-1]


@pytest.mark.parametrize(
    ("text", "parsed"),
    [("a/b", ("a", "b", None)), ("a/b:1.0.0-rc.1+x", ("a", "b", "1.0.0-rc.1+x"))],
)
def test_names_of_definitions(text, parsed):
    assert values.definition(text) == parsed


@pytest.mark.parametrize("text", ["", "a", "a/", "/b", "a/b:", "a/b/c", "a b/c"])
def test_what_names_no_definition(text):
    with pytest.raises(typer.BadParameter, match="expected NAMESPACE/NAME"):
        values.definition(text)


def test_json_arguments(tmp_path):
    file = tmp_path / "input.json"
    file.write_text('{"a": 9007199254740993}')
    assert values.json_value(f"@{file}").value == {"a": 9007199254740993}
    assert values.json_value("null").value is None
    assert values.json_value('"text"').value == "text"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": }', r"""expected JSON or @FILE; '{"a": }': Expecting value: line 1 column 7"""),
        ("hello", "expected JSON or @FILE; 'hello'"),
        ("@/nowhere/at.json", "can't read /nowhere/at.json: No such file"),
    ],
)
def test_what_is_not_json(text, said):
    with pytest.raises(typer.BadParameter) as error:
        values.json_value(text)
    assert said in str(error.value)


def test_pairs():
    assert values.pairs(["a=1", "b=x=y", "c="]) == {"a": "1", "b": "x=y", "c": ""}
    for wrong in ("a", "=1"):
        with pytest.raises(typer.BadParameter, match="expected NAME=VALUE"):
            values.pairs([wrong])


@pytest.mark.parametrize(
    ("progress", "said"),
    [
        ({"page": 3, "of": 10}, "page 3, of 10"),
        ("half\nway", "half way"),
        (0.25, "0.25"),
        (["a"] * 100, '["a","a"'),
    ],
)
def test_progress_is_shown_until_the_end(progress, said):
    (_, line) = drawn(process(), [activity("work", "call", "waiting", progress=progress)])
    assert said in line and len(line) < 180
    (_, line) = drawn(process(), [activity("work", "call", "completed", progress=progress)])
    assert said not in line
