"""Sees that servers and their directories are gone after the run, also when the run is killed.

A process of its own that is told, line by line, what to end and what to remove, and does so when its input ends,
which it does however this program ends.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys

_script: int | None = None
"""Where the guard reads; deliberately never closed."""


def end_group(group: int) -> None:
    """Have the process group killed after the run."""
    _tell(f"group {group}")


def spare_group(group: int) -> None:
    """It has ended; its number may soon be another's."""
    _tell(f"spare {group}")


def remove(directory: str) -> None:
    """Have the directory removed after the run."""
    _tell(f"directory {directory}")


def _tell(line: str) -> None:
    global _script
    if _script is None:
        reading, _script = os.pipe()
        process = subprocess.Popen([sys.executable, "-I", "-S", __file__], stdin=reading, start_new_session=True)
        process.returncode = 0  # never waited for: it outlives this program
        os.close(reading)
    os.write(_script, line.encode() + b"\n")


def _main() -> None:
    groups: set[int] = set()
    directories: set[str] = set()
    for line in sys.stdin:
        word, _, value = line.strip().partition(" ")
        match word:
            case "group":
                groups.add(int(value))
            case "spare":
                groups.discard(int(value))
            case "directory":
                directories.add(value)
    for group in groups:
        with contextlib.suppress(OSError):
            os.killpg(group, signal.SIGKILL)
    for directory in directories:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    _main()
