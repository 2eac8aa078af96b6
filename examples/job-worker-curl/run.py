"""Two directories are measured by the worker in curl and sh: one that is there, and one that is not."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from perdure.demo import stage

HERE = Path(__file__).parent
DEFINITION = HERE / "job-worker-curl.yaml"


async def main() -> None:
    async with stage.platform() as client:
        await client.deploy(DEFINITION.read_bytes())
        async with worker(client.url):
            there = await client.start("ops", "job-worker-curl", input={"path": str(HERE)})
            output = (await client.ended(there["id"], timeout=60))["output"]
            assert output["kilobytes"] > 0, output
            print(f"{HERE.name} takes {output['kilobytes']} kB", flush=True)
            missing = await client.start("ops", "job-worker-curl", input={"path": "/no/such/directory"})
            error = (await client.ended(missing["id"], timeout=60))["error"]
            assert error is not None and error["status"] == 404, error
            print(f"/no/such/directory: {error['detail']}", flush=True)


@asynccontextmanager
async def worker(url: str) -> AsyncIterator[None]:
    environment = {**os.environ, "PERDURE_API_URL": url}
    program = await asyncio.create_subprocess_exec("sh", str(HERE / "worker.sh"), env=environment)
    try:
        yield
    finally:
        program.terminate()
        await program.wait()


if __name__ == "__main__":
    asyncio.run(main())
