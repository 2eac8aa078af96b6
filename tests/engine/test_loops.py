"""`for`."""

import pytest
from driver import Run

LOOPS = {
    "data go from one to the next": ("for: {in: '[1,2,3]'}\ndo: [{s: {set: '${ . + $item }'}}]", 10, 16),
    "names": (
        "for: {in: .l, each: x, at: i}\ndo: [{s: {set: {l: '${ .l }', r: '${ .r + [[$x, $i]] }'}}}]",
        {"l": ["a", "b"]},
        {"l": ["a", "b"], "r": [["a", 0], ["b", 1]]},
    ),
    "nothing to do": ("for: {in: '[]'}\ndo: [{s: {set: '${ 1 }'}}]", 7, 7),
    "while": ("for: {in: '[1,2,3,4]'}\nwhile: . < 3\ndo: [{s: {set: '${ . + $item }'}}]", 0, 3),
    "while sees the item": (
        "for: {in: '[1,2,3,4]'}\nwhile: $item < 3 and $index < 5\ndo: [{s: {set: '${ . + $item }'}}]",
        0,
        3,
    ),
    "while false at once": ("for: {in: '[1]'}\nwhile: 'false'\ndo: [{s: {set: '${ 9 }'}}]", 0, 0),
    "exit ends the iteration": (
        "for: {in: '[1,2]'}\ndo: [{s: {set: '${ . + $item }', then: exit}}, {t: {set: '${ 99 }'}}]",
        0,
        3,
    ),
    "several tasks": ("for: {in: '[1,2]'}\ndo: [{s: {set: '${ . + $item }'}}, {t: {set: '${ . * 10 }'}}]", 0, 120),
    "nested": (
        "for: {in: '[1,2]', each: a}\ndo: [{l: {for: {in: '[10,20]', each: b}, do: [{s: {set: '${ .+[$a+$b] }'}}]}}]",
        [],
        [11, 21, 12, 22],
    ),
    "inner names hide outer ones": (
        "for: {in: '[1,2]'}\ndo: [{l: {for: {in: '[10]'}, do: [{s: {set: '${ . + [$item] }'}}]}}]",
        [],
        [10, 10],
    ),
    "backwards within": (
        "for: {in: '[1,2]'}\ndo: [{s: {set: '${ . + 1 }'}}, {w: {switch: [{b: {when: '. % 3 != 0', then: s}}]}}]",
        0,
        6,
    ),
}


@pytest.mark.parametrize("name", LOOPS)
def test_loop(name: str) -> None:
    body, input_, expected = LOOPS[name]
    lines = "\n".join(f"      {line}" for line in body.splitlines())
    assert Run(f"do:\n  - loop:\n{lines}").start(input_).output == expected


def test_iterations_are_told_apart() -> None:
    run = Run(
        """
        do:
          - outer:
              for: {in: '[0,1]'}
              do:
                - inner:
                    for: {in: '[0,1]'}
                    do: [{leaf: {set: '${ . }'}}]
        """
    ).start(0)
    assert [activity.iteration for activity in run.named("leaf")] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert [activity.iteration for activity in run.named("inner")] == [(0,), (1,)]
    assert len({activity.id for activity in run.activities.values()}) == 7


@pytest.mark.parametrize("count", [99, 100, 101, 250])
def test_a_collection_is_stored_in_chunks(count: int) -> None:
    loop = "{input: {from: .n}, for: {in: $workflow.input.items}, do: [{s: {set: '${ . + $item.v }'}}]}"
    run = Run(f"do: [l: {loop}]").start({"items": [{"v": n, "pad": "p" * 10} for n in range(count)], "n": 0})
    assert run.output == sum(range(count))


def test_an_item_across_steps() -> None:
    """Each iteration is a step of its own; only one chunk is loaded for it."""
    call = "{call: http, with: {method: get, endpoint: 'http://x', query: {q: '${ $item }'}}}"
    run = Run(f"do: [l: {{for: {{in: '[range(150)]'}}, do: [{{c: {call}}}]}}]")
    run.start()
    for n in range(150):
        assert run.call("c").request["query"] == {"q": n}
        run.succeed("c", {"n": n})
    assert run.output == {"n": 149}
    assert run.loads <= 151


def test_large_items_make_small_chunks() -> None:
    items = [{"n": n, "pad": "p" * 5000} for n in range(20)]
    run = Run("do: [l: {for: {in: .}, do: [{s: {set: '${ $item.n }'}}]}]").start(items)
    assert run.output == 19
    assert max(map(len, list(run.payloads.values())[1:])) < 25_000


def test_the_state_does_not_grow_with_iterations() -> None:
    sizes = {}
    for count in (100, 2000):
        definition = f"do: [l: {{for: {{in: '[range({count})]'}}, do: [{{s: {{set: '${{ . + 1 }}'}}}}]}}]"
        run = Run(definition, activities_max=50).start(0, drain=False)
        sizes[count] = len(run.state or b"")
        run.take()
        assert run.output == count
    assert sizes[2000] <= sizes[100] + 20
