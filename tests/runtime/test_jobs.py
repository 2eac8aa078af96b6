"""Jobs over a real database: leases, answers, tries, waiting, and what operators do meanwhile."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest

from perdure.engine.errors import standard
from perdure.runtime import job_queue
from perdure.runtime.errors import Conflict, NotFound
from perdure.runtime.views import JobRequest
from perdure.store.postgres import jobs

from .conftest import DEADLINE_SECONDS, WHO, Platform, open_platform

JOB = [{"work": {"call": "job:1.0.0@default", "with": {"type": "work", "input": "${ . }"}}}]
ERROR = standard("runtime", "no luck")


async def take(platform: Platform, **fields):
    return await platform.service.activate_jobs(WHO, JobRequest(**{"type": "work", "wait": 10, **fields}))


async def one(platform: Platform, **fields):
    (job,) = await take(platform, **fields)
    return job


async def complete(platform: Platform, job, output=None, token=None):
    await platform.service.complete_job(WHO, job.id, token or str(job.lease.token), output)


async def fail(platform: Platform, job, retryable=False):
    return await platform.service.fail_job(WHO, job.id, str(job.lease.token), ERROR, retryable=retryable)


async def types(platform: Platform, process) -> list[str]:
    return [name.removeprefix("dev.perdure.job.") for name in await platform.history(process) if ".job." in name]


async def test_a_job_is_taken_and_done(platform: Platform) -> None:
    await platform.deploy("jobs", JOB)
    process = await platform.start("jobs", {"n": 1})
    waiting = await platform.waiting(process, "job")
    assert waiting.status == "waiting"
    before = datetime.now(UTC)
    job = await one(platform, worker="w1")
    after = datetime.now(UTC)
    assert (job.process, job.activity, job.type, job.input, job.attempt) == (process.id, job.id, "work", {"n": 1}, 1)
    assert job.idempotency_key == f"{process.id}/{job.id}"
    assert job.id == waiting.waiting_for[0].activity
    assert before <= job.lease.until - timedelta(seconds=60) <= after
    await complete(platform, job, {"ok": True})
    assert (await platform.ended(process)).output == {"ok": True}
    assert await types(platform, process) == ["opened", "leased", "completed"]
    page = await platform.service.history(WHO, process.id, limit=100, cursor=None)
    leased = next(entry for entry in page.items if entry.type.endswith("job.leased"))
    assert leased.actor == "tester" and leased.data["worker"] == "w1" and leased.data["delivery"] == 1


async def test_answers_of_the_same_time_are_written_together_and_none_spoils_another(
    platform: Platform, database: str
) -> None:
    await platform.deploy("jobs", JOB)
    processes = [await platform.start("jobs", {"n": n}) for n in range(6)]
    for process in processes:
        await platform.waiting(process, "job")
    jobs_ = sorted(await take(platform, max=6), key=lambda job: job.input["n"])
    done, wrong, failed, twice, torn, held = jobs_
    connection = await asyncpg.connect(database)
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("select from job where id = $1 for update", held.id)
    asked = [
        asyncio.ensure_future(answer)
        for answer in (
            complete(platform, done, 0),
            complete(platform, wrong, 1, token=str(uuid4())),
            fail(platform, failed),
            complete(platform, twice, 3),
            complete(platform, twice, 3),
            complete(platform, torn, 4),
            complete(platform, torn, "other"),
            platform.service.complete_job(WHO, uuid4(), str(uuid4()), 1),
            complete(platform, held, 5),
        )
    ]
    for process in (processes[0], processes[3], processes[4]):  # what somebody else holds keeps none of them waiting
        await platform.ended(process)
    await transaction.rollback()
    await connection.close()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(answer).__name__ for answer in answers] == [
        "NoneType", "Conflict", "JobRetry", "NoneType", "NoneType", "NoneType", "Conflict", "NotFound", "NoneType",
    ]  # fmt: skip
    ends = [(await platform.ended(process)) for number, process in enumerate(processes) if number != 1]
    assert [end.output for end in ends if end.status == "completed"] == [0, 3, 4, 5]
    await complete(platform, wrong, 1)
    assert (await platform.ended(processes[1])).output == 1


async def test_the_same_answer_again_is_fine_and_any_other_is_refused(platform: Platform) -> None:
    await platform.deploy("jobs", JOB)
    process = await platform.start("jobs")
    job = await one(platform)
    with pytest.raises(Conflict):
        await complete(platform, job, 1, token=str(uuid4()))
    with pytest.raises(Conflict):
        await complete(platform, job, 1, token="no uuid")
    await complete(platform, job, 1)
    await complete(platform, job, 1)
    with pytest.raises(Conflict):
        await complete(platform, job, 2)
    with pytest.raises(Conflict):
        await fail(platform, job)
    with pytest.raises(NotFound):
        await platform.service.complete_job(WHO, uuid4(), str(uuid4()), 1)
    assert (await platform.ended(process)).output == 1
    assert await types(platform, process) == ["opened", "leased", "completed"]


async def test_a_lease_that_ends_without_a_word(platform: Platform) -> None:
    await platform.deploy("jobs", JOB)
    process = await platform.start("jobs")
    lost = await one(platform, lease=0.3)
    again = await one(platform)
    assert again.id == lost.id and again.attempt == 2 and again.lease.token != lost.lease.token
    with pytest.raises(Conflict):
        await complete(platform, lost, "late")
    with pytest.raises(Conflict):
        await platform.service.extend_job(WHO, lost.id, str(lost.lease.token), None)
    await complete(platform, again, "in time")
    assert (await platform.ended(process)).output == "in time"
    assert await types(platform, process) == ["opened", "leased", "lease-ended", "leased", "completed"]


async def test_an_answer_after_the_lease_is_refused_even_if_nobody_else_has_the_job(database: str) -> None:
    async with open_platform(database) as platform:
        await platform.deploy("jobs", JOB)
        await platform.start("jobs")
        job = await one(platform, lease=0.1)
        await platform.worker.stop()  # nobody returns the job
        await asyncio.sleep(max(0, (job.lease.until - datetime.now(UTC)).total_seconds()))
        with pytest.raises(Conflict, match="ended"):
            await complete(platform, job)
        await platform.worker.start()


async def test_heartbeats_keep_the_lease_and_tell_the_progress(platform: Platform) -> None:
    await platform.deploy("jobs", JOB)
    process = await platform.start("jobs")
    job = await one(platform, lease=1)
    for done in range(5):
        await asyncio.sleep(0.4)
        lease = await platform.service.extend_job(
            WHO, job.id, str(job.lease.token), {"done": done} if done < 3 else None
        )
        assert lease.until > job.lease.until
    (activity,) = (await platform.service.activities(WHO, process.id, limit=10, cursor=None)).items
    assert activity.progress == {"done": 2}
    assert await take(platform, wait=0) == []
    await complete(platform, job)
    await platform.ended(process)


async def test_a_failure_is_raised_at_once_or_after_some_tries(database: str) -> None:
    async with open_platform(database, job_attempts_max=3) as platform:
        await platform.deploy("jobs", JOB)
        process = await platform.start("jobs")
        assert (await fail(platform, await one(platform))).retry_at is None
        ended = await platform.ended(process)
        assert ended.status == "faulted" and ended.error.detail == "no luck" and ended.error.instance == "/do/0/work"

        process = await platform.start("jobs")
        pauses = []
        for attempt in (1, 2, 3):
            job = await one(platform)
            assert job.attempt == attempt
            before = datetime.now(UTC)
            failed = await fail(platform, job, retryable=True)
            repeated = await fail(platform, job, retryable=True)
            assert repeated == failed
            pauses.append(failed.retry_at and (failed.retry_at - before).total_seconds())
        assert pauses[0] >= 0.5 and pauses[1] >= 1.0 and pauses[2] is None
        ended = await platform.ended(process)
        assert ended.status == "faulted" and ended.error.detail == "no luck"
        expected = ["opened", *["leased", "attempt-failed"] * 2, "leased", "failed"]
        assert await types(platform, process) == expected
        assert await platform.stranded() == []


async def test_a_job_given_back_is_had_at_once(platform: Platform) -> None:
    await platform.deploy("jobs", JOB)
    process = await platform.start("jobs")
    job = await one(platform)
    await platform.service.release_job(WHO, job.id, str(job.lease.token))
    await platform.service.release_job(WHO, job.id, str(job.lease.token))
    again = await one(platform, wait=0)
    assert again.attempt == 2
    await complete(platform, again)
    await platform.ended(process)


async def test_the_urgent_come_first_and_then_the_oldest(platform: Platform) -> None:
    await platform.deploy(
        "jobs", [{"work": {"call": "job:1.0.0@default", "with": {"type": "work", "priority": "${ .p }"}}}]
    )
    for number, priority in enumerate((0, 5, -1, 5, 0)):
        await platform.waiting(await platform.start("jobs", {"n": number, "p": priority}), "job")
    assert [job.input["n"] for job in await take(platform, max=3)] == [1, 3, 0]
    assert [job.input["n"] for job in await take(platform, max=3)] == [4, 2]


async def test_who_waits_is_woken_by_the_signal_and_each_job_is_given_once(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_queue, "LOOK_SECONDS", 3600)  # nobody finds a job by looking now and then
    await platform.deploy("jobs", JOB)
    waiters = [asyncio.create_task(take(platform, wait=3600, worker=f"w{n}")) for n in range(50)]
    async with asyncio.timeout(DEADLINE_SECONDS):
        await until_idle(platform, 50)
        processes = [await platform.start("jobs", n) for n in range(20)]
        while sum(task.done() for task in waiters) < 20:
            await asyncio.sleep(0.01)
    taken = [job for task in waiters if task.done() for job in task.result()]
    assert sorted(job.input for job in taken) == list(range(20))
    for task in waiters:
        task.cancel()
    await asyncio.gather(*waiters, return_exceptions=True)
    for job in taken:
        await complete(platform, job)
    for process in processes:
        await platform.ended(process)


async def until_idle(platform: Platform, count: int) -> None:
    """So many have asked for jobs, found none, and wait."""
    types = platform.service._job_queue._types
    while sum(len(type_.idle) for type_ in types.values()) < count:
        await asyncio.sleep(0.01)


async def test_who_stops_waiting_gives_back_what_was_just_taken(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    await platform.deploy("jobs", JOB)
    process = await platform.start("jobs")
    await platform.waiting(process, "job")
    lease_jobs, taken, gone = platform.context.store.lease_jobs, asyncio.Event(), asyncio.Event()

    async def slowly(*arguments, **named):
        found = await lease_jobs(*arguments, **named)
        taken.set()
        await gone.wait()
        return found

    monkeypatch.setattr(platform.context.store, "lease_jobs", slowly)
    waiter = asyncio.create_task(take(platform, wait=20, lease=600))
    await taken.wait()
    waiter.cancel()
    gone.set()
    await asyncio.gather(waiter, return_exceptions=True)
    assert waiter.cancelled()
    job = await one(platform, wait=5)
    await complete(platform, job)
    await platform.ended(process)


async def test_a_cancelled_process_takes_its_job_back(platform: Platform) -> None:
    await platform.deploy("jobs", JOB)
    process = await platform.start("jobs")
    job = await one(platform)
    await platform.service.command(WHO, process.id, "cancel", None)
    for call in (
        complete(platform, job),
        fail(platform, job),
        platform.service.extend_job(WHO, job.id, str(job.lease.token), None),
    ):
        with pytest.raises(Conflict, match="cancelled"):
            await call
    assert await take(platform, wait=0) == []


async def test_no_job_of_a_suspended_process_is_given_out(platform: Platform) -> None:
    await platform.deploy("jobs", JOB)
    first, second = await platform.start("jobs", 1), await platform.start("jobs", 2)
    for process in (first, second):
        await platform.waiting(process, "job")
    job = await one(platform)
    for process in (first, second):
        await platform.service.command(WHO, process.id, "suspend", None)
    assert await take(platform, wait=0) == []
    await complete(platform, job, "done")  # who has one may answer
    for process in (first, second):
        await platform.service.command(WHO, process.id, "resume", None)
    other = await one(platform)
    assert {job.input, other.input} == {1, 2}
    await complete(platform, other, "done")
    assert [(await platform.ended(process)).output for process in (first, second)] == ["done", "done"]


async def test_an_operator_s_retry_offers_it_anew(platform: Platform) -> None:
    await platform.deploy("jobs", JOB)
    process = await platform.start("jobs")
    await fail(platform, await one(platform))
    await platform.ended(process)
    await platform.service.command(WHO, process.id, "retry", None)
    job = await one(platform)
    assert job.attempt == 2
    await complete(platform, job, "done")
    ended = await platform.ended(process)
    assert ended.status == "completed" and ended.output == "done"


async def test_a_caught_failure_is_tried_again_by_the_definition(platform: Platform) -> None:
    retry = {"errors": {}, "retry": {"delay": {"milliseconds": 10}, "limit": {"attempt": {"count": 2}}}}
    await platform.deploy("jobs", [{"tryWork": {"try": JOB, "catch": retry}}])
    process = await platform.start("jobs")
    first = await one(platform)
    await fail(platform, first)
    second = await one(platform)
    assert (first.id, 2) == (second.id, second.attempt)
    await complete(platform, second, "done")
    assert (await platform.ended(process)).output == "done"


async def test_taking_some_costs_the_same_however_many_wait(platform: Platform, database: str) -> None:
    connection = await asyncpg.connect(database)
    try:
        await connection.execute(
            """
            insert into job (id, tenant, process, type, priority, input, attempt, state, held, deliveries, failures,
                             created_at)
            select gen_random_uuid(), 'default', gen_random_uuid(), 'many', n % 5, '0null', 1, 'available', false, 0, 0,
                   now() - make_interval(secs => n)
            from generate_series(1, 100000) as n
            """
        )
        await connection.execute("analyze job")
        plan = await connection.fetch(
            "explain (analyze, buffers, format json) " + jobs.LEASE,
            "default",
            "many",
            10,
            60.0,
            "w",
            "a",
            60.0,
            bytes(32),
        )
        assert "job_available" in plan[0][0] and "Sort" not in plan[0][0] and "Seq Scan" not in plan[0][0]
        (top,) = json.loads(plan[0][0])
        assert top["Plan"]["Shared Hit Blocks"] + top["Plan"]["Shared Read Blocks"] < 500
        first, *rest = await take(platform, type="many", max=20)
        assert (first.priority, first.input) == (4, None) and {job.priority for job in rest} == {4}
        await connection.execute("truncate job, inbox")
    finally:
        await connection.close()
