"""Mosquitto, an MQTT broker, with its state on disk; and a second listener with TLS and passwords where asked."""

from servers.server import Server, program, unprivileged


class MosquittoServer(Server):
    def __init__(self) -> None:
        super().__init__(unprivileged("mosquitto"))

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    async def start(self) -> None:
        executable = program("mosquitto", install="mosquitto (on Debian: mosquitto)")
        configuration = self.directory / "mosquitto.conf"
        configuration.write_text(
            f"listener {self.port} 127.0.0.1\n"
            "allow_anonymous true\n"
            "persistence true\n"
            f"persistence_location {self.directory}/\n"
            "max_queued_messages 10000\n"
        )
        await self._launch([executable, "-c", str(configuration)])

    async def _answers(self) -> bool:
        connect = b"\x10\x10\x00\x04MQTT\x04\x02\x00\x0a\x00\x04test"
        return await self._port_answers(connect, b"\x20\x02")
