"""What came of scenarios, in lines."""

from collections.abc import Iterator

from perdure.scenarios.files import Played


def played(file: str, result: Played) -> Iterator[str]:
    """A line for each scenario, its failures beneath it; then what none of them has taken."""
    for outcome in result.outcomes:
        yield f"{'FAILED' if outcome.failures else 'passed'} {file}: {outcome.name}"
        for failure in outcome.failures:
            yield f"       {failure}"
    failed = sum(bool(outcome.failures) for outcome in result.outcomes)
    taken = result.coverage.total - len(result.coverage.untaken)
    yield (
        f"{len(result.outcomes) - failed} passed, {failed} failed; "
        f"{taken} of {result.coverage.total} tasks, cases and catches taken"
    )
    for pointer in result.coverage.untaken:
        yield f"  not taken: {pointer}"
