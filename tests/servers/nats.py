"""NATS with JetStream."""

from servers.server import Server, program


class NatsServer(Server):
    def __init__(self, *options: str) -> None:
        super().__init__()
        self.options = options

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    async def start(self) -> None:
        executable = program("nats-server", install="nats-server (on Debian: nats-server)")
        store = self.directory / "jetstream"
        await self._launch(
            [executable, "-a", "127.0.0.1", "-p", str(self.port), "-js", "-sd", str(store), *self.options]
        )

    async def _answers(self) -> bool:
        return await self._port_answers(b"", b"INFO")
