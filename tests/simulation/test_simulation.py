"""Whole lives of random processes. To see one again: ``pytest tests/simulation -k "[17]"``."""

import pytest
from definitions import plan_of
from world import World

INPUT = 7


@pytest.mark.parametrize("seed", range(200))
def test_a_process_ends_as_planned(seed: int) -> None:
    life(seed)


@pytest.mark.parametrize("seed", range(200, 240))
def test_a_process_can_be_cancelled_at_any_time(seed: int) -> None:
    run = World(plan_of(seed), seed).live(INPUT, cancel_after=seed % 40)
    assert run.status in ("cancelled", "completed", "faulted")
    assert not run.open


@pytest.mark.long
@pytest.mark.parametrize("block", range(20))
def test_many_processes_end_as_planned(block: int) -> None:
    for seed in range(1000 + block * 500, 1000 + (block + 1) * 500):
        life(seed)


def life(seed: int) -> None:
    plan = plan_of(seed)
    run = World(plan, seed).live(INPUT)
    if plan.fault is None:
        assert (run.status, run.step.error) == ("completed", None), f"seed {seed}"
        assert run.output == plan.function(INPUT), f"seed {seed}"
    else:
        assert run.error.status == plan.fault, f"seed {seed}"
    assert {activity.status for activity in run.activities.values()} <= {
        "completed",
        "cancelled",
        "faulted",
        "skipped",
    }
