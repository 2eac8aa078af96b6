"""Ratios to other platforms are always so that more is better for ours."""

from bench.figures import Figure
from bench.ratios import ratios


def figures(**values):
    return [Figure(name.replace("_", "."), unit, [value]) for name, (value, unit) in values.items()]


def found(**values):
    return {figure.name: figure.median for figure in ratios(figures(**values))}


def test_rates_are_ours_by_theirs_and_times_theirs_by_ours():
    assert found(
        sequence_rate=(300.0, "activities/s"),
        peer_dbos_sequence_rate=(100.0, "activities/s"),
        fork_100=(50.0, "µs/activity"),
        peer_restate_fork_100=(200.0, "µs/activity"),
    ) == {"ratio.dbos.sequence.rate": 3.0, "ratio.restate.fork.100": 4.0}


def test_what_was_over_at_once_counts_as_the_shortest_time_that_is_told_apart():
    assert found(recover_time=(0.0, "s"), peer_dbos_recover_time=(3.0, "s")) == {"ratio.dbos.recover.time": 30.0}


def test_beside_parked_ones_ours_has_as_many_or_the_fewest_more():
    assert found(
        sequence_rate=(100.0, "activities/s"),
        parked_2000_sequence=(99.0, "activities/s"),
        parked_10000_sequence=(80.0, "activities/s"),
        parked_100000_sequence=(60.0, "activities/s"),
        peer_dbos_parked_4000_sequence=(40.0, "activities/s"),
        peer_dbos_parked_4000_kept=(0.5, "ratio"),
    ) == {"ratio.dbos.parked.4000.sequence": 2.0, "ratio.dbos.parked.4000.kept": 1.6}


def test_there_is_none_where_ours_was_not_measured():
    assert found(peer_dbos_sequence_rate=(100.0, "activities/s"), peer_dbos_parked_4000_kept=(0.5, "ratio")) == {}
