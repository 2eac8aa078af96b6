"""Redis, with nothing on disk."""

import itertools

from servers.server import Server, program

DATABASES = 1024


class RedisServer(Server):
    def __init__(self) -> None:
        super().__init__()
        self._databases = itertools.cycle(range(DATABASES))

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def fresh_url(self) -> str:
        """A database that no other test uses."""
        return f"redis://127.0.0.1:{self.port}/{next(self._databases)}"

    async def start(self) -> None:
        executable = program("redis-server", install="redis-server (on Debian: redis-server)")
        options = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "databases": str(DATABASES),
            "save": "",
            "appendonly": "no",
            "dir": str(self.directory),
        }
        await self._launch([executable, *(part for name, value in options.items() for part in (f"--{name}", value))])

    async def wipe(self) -> None:
        """Back, and empty."""
        await self.kill()
        await self.start()

    async def _answers(self) -> bool:
        return await self._port_answers(b"PING\r\n", b"+PONG")
