"""What waiting costs: rows, counted."""

from integration.api import Api, definition
from integration.topology import Topology

ROWS = """
select
    (select count(*) from timer) as timers, (select count(*) from inbox) as facts,
    (select count(*) from activity) as activities, (select count(*) from history) as entries,
    (select count(*) from payload) as payloads, (select count(*) from call) as calls
"""
STATE_BYTES_MAX = 1_000
WIDTH = 400


async def test_a_month_of_waiting_is_a_few_rows(topology: Topology, api: Api) -> None:
    name = await api.deploy(definition("month", [{"sleep": {"wait": {"days": 30}}}]))
    before = (await topology.fetch(ROWS))[0]
    processes = [(await api.start(name, {"n": n}))["id"] for n in range(20)]
    for process in processes:
        await api.waits_for(process, "timer")
    after = (await topology.fetch(ROWS))[0]
    grown = {key: (after[key] - before[key]) / len(processes) for key in after.keys()}  # noqa: SIM118
    assert (grown["timers"], grown["activities"], grown["facts"], grown["calls"]) == (1, 1, 0, 0)
    assert grown["payloads"] == 0
    assert grown["entries"] <= 8
    states = await topology.fetch("select length(state) as bytes from process where id = any($1::uuid[])", processes)
    assert max(row["bytes"] for row in states) < STATE_BYTES_MAX
    for process in processes:
        await api.post(f"/v1/processes/{process}/cancel")


async def test_the_state_does_not_grow_with_what_has_ended(topology: Topology, api: Api) -> None:
    """After a loop of many iterations the state is as small as after one of few."""
    loop = [
        {"loop": {"for": {"in": "[range(.times)]"}, "do": [{"add": {"set": {"n": "${ (.n // 0) + 1 }"}}}]}},
        {"hold": {"wait": {"days": 30}}},
    ]
    name = await api.deploy(definition("grows", loop))
    sizes = []
    for times in (10, 2_000):
        process = (await api.start(name, {"times": times}))["id"]
        await api.waits_for(process, "timer", seconds=60)
        sizes.append(
            (await topology.fetch("select length(state) as bytes from process where id = $1", process))[0]["bytes"]
        )
        assert len(await api.activities(process)) == times + 2
        await api.post(f"/v1/processes/{process}/cancel")
    assert sizes[1] <= sizes[0] + 64


async def test_a_payload_that_passes_through_is_stored_once(topology: Topology, api: Api) -> None:
    name = await api.deploy(definition("carries", [{f"carry{n}": {"set": "${ . }"}} for n in range(30)]))
    ended = await api.start(name, {"text": "x" * 100_000}, wait=30)
    assert ended["status"] == "completed"
    stored = await topology.fetch(
        "select count(*) as payloads, sum(length(data)) as bytes from payload where process = $1", ended["id"]
    )
    assert stored[0]["payloads"] == 1
    assert stored[0]["bytes"] < 110_000


async def test_a_wide_fork_joins(topology: Topology, api: Api) -> None:
    branches = [{f"b{n}": {"set": {"n": n}}} for n in range(WIDTH)]
    name = await api.deploy(definition("wide-fork", [{"all": {"fork": {"branches": branches}}}]))
    ended = await api.start(name, wait=30)
    ended = ended if ended["endedAt"] else await api.end(ended["id"])
    assert [item["n"] for item in ended["output"]] == list(range(WIDTH))
