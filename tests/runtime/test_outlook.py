"""What one look at the database tells a worker."""

from perdure.runtime.views import JobRequest, StartRequest

from .conftest import WHO, open_platform


async def test_one_look_sees_all_that_there_is_to_do(database):
    async with open_platform(database, working=False) as platform:
        store = platform.context.store
        nothing = await store.outlook()
        assert (nothing.timer, nothing.job, nothing.schedule, nothing.delivery) == (None, None, None, None)
        assert not nothing.telling and not await store.is_owed(0.0)
        await platform.deploy("rests", [{"rest": {"wait": {"hours": 1}}}])
        await platform.service.start(WHO, StartRequest("test", "rests"), awaited=True)
        await platform.deploy("work", [{"work": {"call": "job:1.0.0@default", "with": {"type": "work"}}}])
        await platform.service.start(WHO, StartRequest("test", "work"), awaited=True)
        await platform.deploy("ticks", [{"tick": {"set": {"n": 1}}}], schedule={"every": {"hours": 3}})
        assert not await store.is_owed(0.0)
        await platform.service.activate_jobs(WHO, JobRequest(type="work", lease=7200))
        found = await store.outlook()
        assert 3500 < found.timer <= 3600
        assert 7000 < found.job <= 7200
        assert 10_000 < found.schedule <= 10_800
        assert await store.is_owed(0.0)  # the process is to be told of the lease
        assert not await store.is_owed(60.0)
