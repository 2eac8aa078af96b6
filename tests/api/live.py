"""The API over the real platform: runtime, worker and PostgreSQL."""

from contextlib import AsyncExitStack, asynccontextmanager

from api_server import served

from perdure.activities.outside import Outside
from perdure.activities.registry import Registry
from perdure.runtime.service import Service
from perdure.settings import Settings
from perdure.wiring import open_context
from perdure.worker.worker import Worker


@asynccontextmanager
async def live(dsn, settings=None, **options):
    """A client of a server that has a worker beside it, all on the database `dsn`."""
    settings = settings or Settings(_env_file=None, database_url=dsn, expression_workers=1)
    async with AsyncExitStack() as stack:
        context = await stack.enter_async_context(open_context(settings, dsn, "http://127.0.0.1"))
        service = Service(context)
        stack.push_async_callback(service.stop)
        worker = Worker(context, Registry(Outside(settings, context.secrets)))
        await worker.start()
        stack.push_async_callback(worker.stop)
        client = await stack.enter_async_context(served(service, **options))
        client.service = service
        yield client
