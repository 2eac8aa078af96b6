"""RabbitMQ on a node, ports and directories of its own, without plugins."""

import itertools
import json
import shutil
import subprocess

from servers import guard
from servers.server import Server, free_port, program

VHOSTS = 40
_INSTALL = "rabbitmq-server 3.10 or newer (on Debian: rabbitmq-server)"


class RabbitServer(Server):
    """Virtual hosts are made at boot, since making one later takes a second and more."""

    def __init__(self) -> None:
        super().__init__()
        self._distribution_port = free_port()
        self._mapper_port = free_port()
        self._mapper: subprocess.Popen[bytes] | None = None
        self._vhosts = itertools.count()

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}/"

    def fresh_url(self) -> str:
        """A virtual host that no other test uses."""
        number = next(self._vhosts)
        assert number < VHOSTS, "more tests ask for a virtual host than servers/rabbit.py makes: raise VHOSTS"
        return f"{self.url}test{number}"

    async def start(self) -> None:
        executable = program(
            "rabbitmq-server",
            "/usr/lib/rabbitmq/bin",  # Debian's own script changes to another user
            "/opt/homebrew/opt/rabbitmq/sbin",
            install=_INSTALL,
        )
        self._configure()
        self._start_mapper()
        base = self.directory
        await self._launch(
            [executable],
            {
                "HOME": str(base),
                "ERL_EPMD_PORT": str(self._mapper_port),
                "ERL_EPMD_ADDRESS": "127.0.0.1",
                "RABBITMQ_NODENAME": f"perdure-test-{self.port}@localhost",
                "RABBITMQ_NODE_PORT": str(self.port),
                "RABBITMQ_DIST_PORT": str(self._distribution_port),
                "RABBITMQ_MNESIA_BASE": str(base / "mnesia"),
                "RABBITMQ_LOG_BASE": str(base / "log"),
                "RABBITMQ_CONFIG_FILE": str(base / "rabbitmq.conf"),
                "RABBITMQ_CONF_ENV_FILE": "/dev/null",
                "RABBITMQ_ENABLED_PLUGINS_FILE": str(base / "plugins"),
            },
        )

    async def lose(self) -> None:
        """Gone, with all that it held."""
        await self.kill()
        shutil.rmtree(self.directory / "mnesia")

    async def wipe(self) -> None:
        """Back, and as new."""
        await self.lose()
        await self.start()

    async def close(self) -> None:
        await super().close()
        if self._mapper is not None:
            self._mapper.kill()
            self._mapper.wait()
            guard.spare_group(self._mapper.pid)

    def _configure(self) -> None:
        (self.directory / "plugins").write_text("[].\n")
        (self.directory / "rabbitmq.conf").write_text(
            f"listeners.tcp.default = 127.0.0.1:{self.port}\n"
            f"load_definitions = {self.directory}/definitions.json\n"
            "log.file.level = warning\n"
        )
        names = ["/", *(f"test{number}" for number in range(VHOSTS))]
        allow = {"configure": ".*", "write": ".*", "read": ".*"}
        definitions = {
            "users": [{"name": "guest", "password": "guest", "tags": "administrator"}],
            "vhosts": [{"name": name} for name in names],
            "permissions": [{"user": "guest", "vhost": name, **allow} for name in names],
        }
        (self.directory / "definitions.json").write_text(json.dumps(definitions))

    def _start_mapper(self) -> None:
        """Erlang's port mapper, which would otherwise outlive the server as a daemon."""
        if self._mapper is None:
            self._mapper = subprocess.Popen(
                [
                    program("epmd", install="erlang, which comes with rabbitmq-server"),
                    *("-port", str(self._mapper_port)),
                    *("-address", "127.0.0.1"),
                ],
                start_new_session=True,
            )
            guard.end_group(self._mapper.pid)

    async def _answers(self) -> bool:
        return await self._port_answers(b"AMQP\x00\x00\x09\x01", b"RabbitMQ")
