"""The stored form of the state, payloads, ids."""

import gzip
from pathlib import Path

import msgspec
import pytest
from driver import PROCESS, START, Run

from perdure.engine import ids, state
from perdure.engine.facts import ResumeRequested, SuspendRequested
from perdure.engine.payloads import DEPTH_MAX, Payloads, Unkeepable
from perdure.engine.refs import INLINE_BYTES_MAX, key_of
from perdure.engine.state import StateUnreadable

GOLDEN = Path(__file__).parent / "golden"

EVERYTHING = """
do:
  - f:
      fork:
        branches:
          - call: {call: http, with: {method: get, endpoint: 'http://x'}, timeout: {after: PT1M}}
          - loop: {for: {in: '[1, 2]'}, do: [w: {wait: PT1H}]}
          - listen:
              listen:
                to: {any: [{with: {type: a}, correlate: {k: {from: .data, expect: '${ 1 }'}}}], until: '${ false }'}
              foreach: {do: [h: {call: 'human-task:1.0.0@default', with: {title: T, due: PT1H, escalateTo: [g]}}]}
          - callback: {call: 'callback:1.0.0@default', with: {}}
          - child: {run: {workflow: {namespace: n, name: c, version: 1.0.0}}}
          - try: {try: [r: {raise: {error: {type: 'http://x', status: 1}}}], catch: {retry: {delay: PT1S}}}
          - inner: {do: [g: {fork: {branches: [x: {wait: PT2H}]}}]}
timeout: {after: P1D}
"""


def everything() -> Run:
    return Run(EVERYTHING).start({"a": 1}).event("a", 1)


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.gz")), ids=lambda path: path.name)
def test_states_of_earlier_releases_load_and_go_on(path: Path) -> None:
    """Made once from `everything` by each release that changed the stored form; never made again."""
    run = everything()
    run.state = gzip.decompress(path.read_bytes())
    loaded = state.decode(run.state)
    assert [frame.id for frame in loaded.frames] == [frame.id for frame in run.step.state.frames]
    run.succeed("call", 1).fire("retry")
    assert run.activity("call").status == "completed"


def test_an_unknown_version_is_refused() -> None:
    with pytest.raises(StateUnreadable, match="version 99"):
        state.decode(msgspec.msgpack.encode((99, [])))
    with pytest.raises(StateUnreadable):
        state.decode(b"\xc1")


def test_the_state_of_a_waiting_process_is_small() -> None:
    run = Run("do: [w: {wait: P30D}]").start({"order": 1})
    assert len(run.state or b"") < 250


def test_a_value_is_known_by_identity() -> None:
    payloads = Payloads(10_000_000)
    value = {"x": "y" * INLINE_BYTES_MAX}
    ref = payloads.put(value)
    assert payloads.put(value) is ref
    assert payloads.put(dict(value)) == ref
    assert list(payloads.new) == [key_of(ref)]


def test_true_and_one_are_different_payloads() -> None:
    payloads = Payloads(10_000_000)
    assert [payloads.put(value) for value in (1, True, 1.5, None, "1")] == [b"01", b"0true", b"01.5", b"0null", b'0"1"']


def test_ids_are_natural_and_well_formed() -> None:
    one = ids.activity_id(PROCESS, "/do/0/a", 0, 0)
    assert one == ids.activity_id(PROCESS, "/do/0/a", 0, 0)
    assert (one.version, one.variant) == (8, "specified in RFC 4122")
    assert str(one) == str(type(one)(str(one)))
    others = [
        ids.activity_id(one, "/do/0/a", 0, 0),
        ids.activity_id(PROCESS, "/do/0/b", 0, 0),
        ids.activity_id(PROCESS, "/do/0/a", 1, 0),
        ids.activity_id(PROCESS, "/do/0/a", 0, 1),
        ids.timer_id(PROCESS, "wait", 1, 0),
        ids.timer_id(PROCESS, "wait", 2, 0),
        ids.timer_id(PROCESS, "wait", 1, 1),
    ]
    assert len({one, *others}) == 8
    child = ids.child_id(one, 1, START)
    assert child.version == 7
    assert child.int >> 80 == int(START.timestamp() * 1000)


def test_the_same_facts_give_the_same_step() -> None:
    one, other = everything(), everything()
    assert one.state == other.state
    assert [msgspec.to_builtins(step) for step in one.steps] == [msgspec.to_builtins(step) for step in other.steps]


def test_a_loop_costs_the_same_however_long() -> None:
    """Counts what is encoded, loaded and asked for per iteration, not time."""

    def cost(count: int) -> tuple[float, float, float]:
        call = "{call: http, with: {method: get, endpoint: 'http://x'}}"
        run = Run(f"do: [l: {{for: {{in: '[range({count})]'}}, do: [c: {call}]}}]").start()
        for _ in range(count):
            run.succeed("c", {"pad": "x" * 300})
        stored = sum(map(len, run.payloads.values()))
        return run.loads / count, len(run.history) / count, stored / count

    short, long = cost(100), cost(1000)
    assert all(more <= less * 1.3 + 0.1 for less, more in zip(short, long, strict=True)), (short, long)


def nested(depth: int, leaf: str = "x" * INLINE_BYTES_MAX) -> object:
    value: object = leaf
    for level in range(depth):
        value = [value] if level % 2 else {"]": value}
    return value


@pytest.mark.parametrize(("depth", "fits"), [(DEPTH_MAX, True), (DEPTH_MAX + 1, False), (100_000, False)])
def test_values_are_not_nested_too_deep(depth: int, fits: bool) -> None:
    payloads = Payloads(10_000_000)
    if fits:
        payloads.put(nested(depth))
    else:
        with pytest.raises(Unkeepable):
            payloads.put(nested(depth))


def test_many_shallow_values_are_no_deep_one() -> None:
    Payloads(10_000_000).put([{"a": [n, '"[{']} for n in range(1000)])


def test_data_that_grow_ever_deeper_fault_their_process() -> None:
    run = Run("do: [a: {set: {v: '${ . }'}}, b: {switch: [again: {when: 'true', then: a}]}]").start({})
    assert run.error.type.endswith("/runtime")
    assert run.error.instance == "/do/0/a"


def test_integers_of_any_size() -> None:
    big = 10**30
    correlate = "{k: {from: .data.k, expect: '${ .k }'}, l: {from: .data.k}}"
    run = Run(f"do: [l: {{listen: {{to: {{all: [{{with: {{type: a}}, correlate: {correlate}}}]}}}}}}]").start(
        {"k": big}
    )
    run.take(SuspendRequested("ann")).event("a", {"k": big}).take(ResumeRequested("ann"))
    assert run.status == "completed"


def test_an_event_that_does_not_match_is_not_stored() -> None:
    run = Run("do: [l: {listen: {to: {one: {with: {type: a, data: '${ .n == 1 }'}}}}}]").start()
    run.event("a", {"n": 2, "pad": "x" * 1000})
    assert not run.step.payloads


@pytest.mark.parametrize(
    "tasks",
    [
        "a: {for: {in: '[reduce range(300) as $n (1; [.])]'}, do: [b: {set: '${ 1 }'}]}",
        "a: {set: '${ reduce range(300) as $n (1; [.]) | {v: ., pad: (\"x\" * 300)} }'}",
        "a: {set: '${ 1 }', export: {as: 'reduce range(300) as $n (1; {v: .})'}}",
    ],
)
def test_what_is_nested_too_deep_faults_its_activity(tasks: str) -> None:
    error = Run(f"do: [{tasks}]").start().error
    assert (error.type.rsplit("/")[-1], error.instance) == ("runtime", "/do/0/a")
