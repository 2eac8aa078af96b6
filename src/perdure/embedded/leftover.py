"""What an earlier postmaster of the same data directory left: its process and its lock file."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

from perdure import clock
from perdure.embedded.errors import EmbeddedError

_STOP_SECONDS_MAX: Final = 15.0
_POLL_SECONDS: Final = 0.02


class Postmaster(NamedTuple):
    """The lines of ``postmaster.pid`` that matter."""

    pid: int
    status: str


def read(data: Path) -> Postmaster | None:
    """The postmaster that the data directory names, alive or not."""
    try:
        lines = (data / "postmaster.pid").read_text("utf-8").splitlines()
        pid = abs(int(lines[0]))
    except (FileNotFoundError, ValueError, IndexError):
        return None
    return Postmaster(pid, lines[7].strip() if len(lines) > 7 else "")


async def clear(data: Path) -> None:
    """Stop what still runs here and remove what would keep a new postmaster from starting.

    Raises `EmbeddedError` where that does not succeed. The caller holds the owner's lock, so a running
    postmaster is an orphan. A process id in the lock file may long belong to a zombie or to somebody else;
    PostgreSQL would take both for a running server and refuse.
    """
    left = read(data)
    if left is None:
        return
    if _runs_in(left.pid, data):
        await _end(left.pid, data)
    if _exists(left.pid):
        (data / "postmaster.pid").unlink(missing_ok=True)


async def _end(pid: int, data: Path) -> None:
    deadline = clock.monotonic() + _STOP_SECONDS_MAX
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        _signal(pid, number)
        until = min(deadline, clock.monotonic() + _STOP_SECONDS_MAX / 3)
        while clock.monotonic() < until:
            if not _runs_in(pid, data):
                return
            await clock.sleep(_POLL_SECONDS)
    raise EmbeddedError(
        f"A PostgreSQL server with process id {pid} still runs in {data} and does not stop. Stop it and try again"
    )


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
    except PermissionError:
        raise EmbeddedError(
            f"A PostgreSQL server with process id {pid}, started by another user, still runs. "
            "Stop it as that user and try again"
        ) from None


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _runs_in(pid: int, data: Path) -> bool:
    """Whether the process is alive, no zombie, and a postmaster of `data`."""
    if sys.platform == "linux":
        return _linux_runs_in(pid, data)
    listed = subprocess.run(["ps", "-o", "stat=,command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, command = listed.stdout.strip().partition(" ")
    return bool(state) and not state.startswith("Z") and "postgres" in command and str(data) in command


def _linux_runs_in(pid: int, data: Path) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()[0]
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, IndexError):
        return False
    return state not in "ZX" and os.path.basename(command[0]) == b"postgres" and os.fsencode(data) in command  # noqa: PTH119
