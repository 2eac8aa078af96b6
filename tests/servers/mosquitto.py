"""Mosquitto, an MQTT broker: with its state on disk, or with TLS and passwords."""

import asyncio
import contextlib
import subprocess
from pathlib import Path

from servers.certificates import issue
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


class SecureMosquittoServer(MosquittoServer):
    """Speaks TLS under a certificate of its own authority, for ``localhost``, and knows the user ann."""

    PASSWORD = "pass-word-1"  # noqa: S105

    @property
    def authority(self) -> Path:
        return self.directory / "authority.pem"

    async def start(self) -> None:
        executable = program("mosquitto", install="mosquitto (on Debian: mosquitto)")
        issue(self.directory, "localhost")
        users = self.directory / "users"
        users.touch()
        made = [program("mosquitto_passwd", install="mosquitto"), "-b", str(users), "ann", self.PASSWORD]
        subprocess.run(made, check=True, capture_output=True)
        configuration = self.directory / "mosquitto.conf"
        configuration.write_text(
            f"listener {self.port} 127.0.0.1\n"
            f"certfile {self.directory}/certificate.pem\n"
            f"keyfile {self.directory}/key.pem\n"
            f"password_file {users}\n"
            "allow_anonymous false\n"
        )
        for file in self.directory.iterdir():
            file.chmod(0o644)
        await self._launch([executable, "-c", str(configuration)])

    async def _answers(self) -> bool:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.close()
            return True
        return False
