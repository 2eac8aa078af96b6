"""`job`: what is asked of workers, and what their answers do."""

from datetime import timedelta

import pytest
from driver import Run

from perdure.engine.effects import CloseJob, HoldJob
from perdure.engine.errors import standard
from perdure.engine.facts import (
    CancelRequested,
    JobCompleted,
    JobFailed,
    JobLeased,
    JobReturned,
    ResumeRequested,
    RetryRequested,
    SuspendRequested,
)

JOB = "do: [work: {call: 'job:1.0.0@default', with: {type: t, input: '${ .n }', lease: PT10S, priority: 3}}]"
ERROR = standard("runtime", "no luck")


def completed(run: Run, output=None, attempt: int = 1) -> JobCompleted:
    run.jobs.pop(run.activity("work").id, None)
    return JobCompleted(run.activity("work").id, attempt, 1, output, "w", "key")


def failed(run: Run, attempt: int = 1) -> JobFailed:
    run.jobs.pop(run.activity("work").id, None)
    return JobFailed(run.activity("work").id, attempt, 1, ERROR, "w", "key")


def test_a_job_is_offered_and_done() -> None:
    run = Run(JOB).start({"n": 7})
    (job,) = run.jobs.values()
    assert (job.type, job.priority, job.lease_seconds, job.attempt) == ("t", 3, 10.0, 1)
    assert run.value(job.input) == 7
    assert [wait.reason for wait in run.step.waiting] == ["job"] and run.status == "waiting"
    run.take(JobLeased(job.activity, 1, 1, "w", "key", run.now + timedelta(seconds=10)))
    run.take(JobReturned(job.activity, 1, 1, "w", "perdure", "lease-ended"))
    assert run.status == "waiting"
    run.take(completed(run, [1]))
    assert run.output == [1]
    told = [entry for entry in run.history if ".job." in entry.type]
    assert [entry.type.rpartition(".")[2] for entry in told] == ["opened", "leased", "lease-ended", "completed"]
    assert [entry.actor for entry in told] == ["perdure", "key", "perdure", "key"]
    assert told[1].data == {
        "worker": "w",
        "delivery": 1,
        "until": "2026-01-01T00:00:10Z",
        "task": "/do/0/work",
    }
    run.take(completed(run, "late"), failed(run))
    assert run.output == [1] and len(run.refusals()) == 2


@pytest.mark.parametrize(
    ("arguments", "seconds", "input_"),
    [
        ("{type: t}", None, {"n": 7}),
        ("{type: t, input: null, lease: 5}", 5.0, None),
        ("{type: t, input: [1], lease: {minutes: 2}}", 120.0, [1]),
        ("{type: t, lease: '${ 0.1 }'}", 0.1, {"n": 7}),
        ("{type: t, lease: '${ 86400 }'}", 86_400.0, {"n": 7}),
        ("{type: '${ \"t\" }', priority: '${ .n }', lease: '${ \"PT1M\" }'}", 60.0, {"n": 7}),
    ],
)
def test_arguments(arguments: str, seconds: float | None, input_: object) -> None:
    run = Run(f"do: [work: {{call: 'job:1.0.0@default', with: {arguments}}}]").start({"n": 7})
    (job,) = run.jobs.values()
    assert (job.type, job.lease_seconds, run.value(job.input)) == ("t", seconds, input_)


@pytest.mark.parametrize(
    ("arguments", "detail"),
    [
        ("{type: '${ 1 }'}", "expected with.type to be a string of 1 to 256 characters"),
        ("{type: '${ \"\" }'}", "expected with.type"),
        ("{type: t, priority: '${ \"high\" }'}", "expected with.priority to be a whole number, found a string"),
        ("{type: t, priority: '${ 1e12 }'}", "expected with.priority between"),
        ("{type: t, lease: '${ 0.01 }'}", "expected with.lease between 0.1 and 86400 seconds, found 0.01"),
        ("{type: t, lease: '${ 86401 }'}", "expected with.lease between 0.1 and 86400 seconds, found 86401"),
        ("{type: t, lease: '${ \"soon\" }'}", "expected an ISO 8601 duration"),
    ],
)
def test_arguments_that_do_not_do(arguments: str, detail: str) -> None:
    run = Run(f"do: [work: {{call: 'job:1.0.0@default', with: {arguments}}}]").start()
    assert run.error.type.endswith("/configuration") and detail in run.error.detail
    assert not run.jobs


def test_a_failure_is_an_error_of_the_task() -> None:
    run = Run(JOB).start({"n": 7})
    run.take(failed(run))
    assert (run.error.detail, run.error.instance) == ("no luck", "/do/0/work")
    run.take(RetryRequested("ops"))
    (job,) = run.jobs.values()
    assert job.attempt == 2
    run.take(JobCompleted(job.activity, 1, 1, "of the first", "w", "key"))
    assert run.refusals() == ["it is of attempt 1, the activity is at 2"]
    run.jobs.clear()
    run.take(JobCompleted(job.activity, 2, 1, "of the second", "w", "key"))
    assert run.output == "of the second"


def test_it_is_caught_and_tried_again() -> None:
    inner = JOB.removeprefix("do: ")
    run = Run(f"do: [t: {{try: {inner}, catch: {{retry: {{delay: PT1S, limit: {{attempt: {{count: 2}}}}}}}}}}]")
    run.start({"n": 7})
    run.take(failed(run))
    assert not run.jobs
    run.fire("retry")
    assert [job.attempt for job in run.jobs.values()] == [2]
    run.take(completed(run, "done", attempt=2))
    assert run.output == "done"


def test_cancelling_takes_it_back() -> None:
    run = Run(JOB).start({"n": 7})
    activity = run.activity("work").id
    run.take(CancelRequested("ops"))
    assert run.step.effects == [CloseJob(activity)]


def test_a_timeout_takes_it_back() -> None:
    run = Run(JOB.replace("}}]", "}, timeout: {after: PT1S}}]")).start({"n": 7})
    run.fire("timeout")
    assert run.error.status == 408 and not run.jobs


def test_a_suspended_process_holds_its_job() -> None:
    run = Run(JOB).start({"n": 7})
    activity = run.activity("work").id
    run.take(SuspendRequested("ops"))
    assert run.step.effects == [HoldJob(activity, True)] and run.held == {activity}
    run.take(completed(run, "meanwhile"))
    run.take(ResumeRequested("ops"))
    assert not run.held and run.output == "meanwhile"
