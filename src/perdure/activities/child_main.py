"""Stands between the worker and a program that an author chose: limits it, and ends it with all that it started.

Run as a script in a fresh interpreter, with the arguments
``OWNER-PID MEMORY-BYTES FILE-BYTES PROGRAM ARGUMENT...``. It ends with the program's exit code (128 and the signal's
number where a signal ended it), `NOT_FOUND` where there is no such program. SIGTERM, or on Linux the end of its owner,
ends the program's whole process group.
"""

import contextlib
import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1
OPEN_FILES_MAX = 1024
NOT_FOUND = 127
NOT_EXECUTABLE = 126


def main(arguments: list[str]) -> int:
    """Fork, limit, execute, wait; answers the exit code."""
    owner, memory_bytes, file_bytes, program, *rest = arguments
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _end_with(int(owner))
    child = os.fork()
    if child == 0:
        os.setsid()
        _limit(int(memory_bytes), int(file_bytes))
        _execute(program, rest)
    signal.signal(signal.SIGTERM, lambda *_: _end(child))
    _, status = os.waitpid(child, 0)
    _end(child)  # what it left running in the background
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _execute(program: str, arguments: list[str]) -> None:
    """Never returns."""
    try:
        os.execvp(program, [program, *arguments])  # noqa: S606 (no shell is what is wanted)
    except OSError as error:
        print(f"{program}: {error.strerror}", file=sys.stderr, flush=True)
        os._exit(NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE)


def _limit(memory_bytes: int, file_bytes: int) -> None:
    """RLIMIT_DATA and not RLIMIT_AS: JavaScript engines reserve far more address space than they use."""
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: file_bytes,
        resource.RLIMIT_NOFILE: OPEN_FILES_MAX,
        resource.RLIMIT_DATA: memory_bytes,
    }
    for which, limit in limits.items():
        _, most = resource.getrlimit(which)
        bounded = limit if most == resource.RLIM_INFINITY else min(limit, most)
        resource.setrlimit(which, (bounded, bounded))


def _end(child: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)


def _end_with(owner: int) -> None:
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
    if os.getppid() != owner:
        sys.exit("the owner is gone")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
