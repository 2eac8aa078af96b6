"""How large a process may grow: each bound below it, at it and above it."""

from typing import Any

import pytest
from driver import Run

from perdure.codec import encode
from perdure.engine.facts import RetryRequested

LOOP = "each: {for: {in: '${ [range(.n)] }'}, do: [{one: {set: '${ $item }'}}]}"
MAP = """each:
    call: map:1.0.0@default
    with: {items: '${ [range(.n)] }', process: {namespace: a, name: b, version: 1.0.0}}"""
TEXT = "each: {set: '${ \"x\" * (.n - 2) }'}"
"""As JSON it has `n` bytes."""
LISTEN = "hear: {listen: {to: {any: [{with: {type: a}}], until: '${ false }'}}}"


def fault_of(run: Run) -> str:
    """What the process says of its fault, empty where it has none."""
    return "" if run.status != "faulted" else run.error.type.rsplit("/")[-1] + ": " + run.error.detail


@pytest.mark.parametrize(
    ("bound", "at", "task", "setting"),
    [
        ("loop_items_max", 7, LOOP, "PERDURE_LOOP_ITEMS_MAX"),
        ("map_items_max", 7, MAP, "PERDURE_MAP_ITEMS_MAX"),
        ("payload_bytes_max", 700, TEXT, "PERDURE_PAYLOAD_BYTES_MAX"),
    ],
)
def test_of_data(bound: str, at: int, task: str, setting: str) -> None:
    def fault(n: int) -> str:
        return fault_of(
            Run(f"do: [{{{task}}}]" if "\n" not in task else f"do:\n- {task}", limits={bound: at}).start({"n": n})
        )

    assert not fault(at - 1)
    assert not fault(at)
    assert setting in fault(at + 1)
    assert str(at) in fault(at + 1)
    assert str(at + 1) in fault(at + 1)


@pytest.mark.parametrize(("branches", "fits"), [(2, True), (3, True), (4, False)])
def test_of_branches(branches: int, fits: bool) -> None:
    tasks = ", ".join(f"{{b{n}: {{set: {{n: {n}}}}}}}" for n in range(branches))
    fault = fault_of(Run(f"do: [{{fan: {{fork: {{branches: [{tasks}]}}}}}}]", limits={"fork_branches_max": 3}).start())
    assert ("PERDURE_FORK_BRANCHES_MAX" in fault) != fits
    assert bool(fault) != fits


def test_of_events_that_one_task_consumes() -> None:
    run = Run(f"do: [{{{LISTEN}}}]", limits={"listen_events_max": 3}).start()
    for n in range(3):
        run.event("a", n)
        assert run.status == "waiting"
    assert "PERDURE_LISTEN_EVENTS_MAX" in fault_of(run.event("a", 3))


def test_of_an_event_that_is_emitted() -> None:
    emit = "do: [{tell: {emit: {event: {with: {source: https://s.example, type: t, data: '${ .text }'}}}}}]"

    def emitting(**limits: int) -> Run:
        return Run(emit, limits=limits).start({"text": "x" * 1000})

    size = len(encode(emitting().published[0]))
    assert not fault_of(emitting(event_bytes_max=size + 1))
    assert not fault_of(emitting(event_bytes_max=size))
    run = emitting(event_bytes_max=size - 1)
    assert "PERDURE_EVENT_BYTES_MAX" in fault_of(run)
    assert not run.published


ENDLESS = "do: [{a: {set: {n: 1}}}, {b: {set: {n: 2}, then: a}}]"
CATCHING = "do: [{a: {try: [{b: {raise: {error: {type: https://x.example, status: 500}}}}], catch: {do: [{c: {set: {n: 1}}}]}, then: a}}]"
RETRYING = """
do:
- a:
    try: [{b: {raise: {error: {type: https://x.example, status: 500}}}}]
    catch: {retry: {delay: {seconds: 0}}}
"""


@pytest.mark.parametrize("definition", [ENDLESS, CATCHING])
def test_a_process_without_end_has_a_longest_history(definition: str) -> None:
    run = Run(definition, limits={"history_lines_max": 300}).start()
    assert "PERDURE_HISTORY_LINES_MAX" in fault_of(run)
    assert run.error.instance == "/"
    assert 300 <= len(run.history) < 330
    before = len(run.history)
    run.take(RetryRequested("ann"))
    assert "PERDURE_HISTORY_LINES_MAX" in fault_of(run)
    assert len(run.history) < before + 20


def test_retries_without_end_have_a_longest_history() -> None:
    run = Run(RETRYING, limits={"history_lines_max": 300}).start()
    for _ in range(300):
        if run.status == "faulted":
            break
        run.fire("retry")
    assert "PERDURE_HISTORY_LINES_MAX" in fault_of(run)


@pytest.mark.parametrize(("short", "fits"), [(0, True), (-1, False)])
def test_a_history_that_just_fits(short: int, fits: bool) -> None:
    """Nothing begins once it is full; what has begun ends."""
    definition = "do: [{a: {set: {n: 1}}}, {b: {set: {n: 2}}}]"
    run: Any = Run(definition).start()
    begun = next(n for n, entry in enumerate(run.history) if entry.type.endswith("task.started.v1") and n > 3)
    fault = fault_of(Run(definition, limits={"history_lines_max": begun + 1 + short}).start())
    assert bool(fault) != fits
