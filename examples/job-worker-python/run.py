"""Three orders: one is paid, one needs a second try, and one is declined. The charges are made by a worker program."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from perdure.client import AsyncClient
from perdure.demo import stage

HERE = Path(__file__).parent
DEFINITION = HERE / "job-worker-python.yaml"


async def main() -> None:
    async with stage.platform() as client:
        await client.deploy(DEFINITION.read_bytes())
        async with worker(client.url):
            assert (await order(client, "A-1", "valid"))["receipt"]["attempt"] == 1
            assert (await order(client, "A-2", "flaky"))["receipt"]["attempt"] == 2
            assert (await order(client, "A-3", "expired"))["outcome"] == "declined"


async def order(client: AsyncClient, number: str, card: str) -> dict:
    content = {"order": number, "amount": 1999, "card": card}
    process = await client.start("shop", "job-worker-python", input=content, key=number)
    output = (await client.ended(process["id"], timeout=60))["output"]
    print(f"{number}: {output}", flush=True)
    return output


@asynccontextmanager
async def worker(url: str) -> AsyncIterator[None]:
    """The worker as a program of its own, stopped by SIGTERM in the end."""
    environment = {**os.environ, "PERDURE_API_URL": url}
    program = await asyncio.create_subprocess_exec(sys.executable, str(HERE / "worker.py"), env=environment)
    try:
        yield
    finally:
        program.terminate()
        await program.wait()


if __name__ == "__main__":
    asyncio.run(main())
