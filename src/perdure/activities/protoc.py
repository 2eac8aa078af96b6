"""Compiles one proto file to a descriptor set; the program of a child process, as it reads what strangers wrote.

Usage: protoc.py DIRECTORY FILE OUTPUT. Imports nothing of this project, so that it starts quickly.
"""

import contextlib
import importlib.util
import resource
import sys
from pathlib import Path

MEMORY_BYTES_MAX = 2 * 1024 * 1024 * 1024
OUTPUT_BYTES_MAX = 32 * 1024 * 1024
CPU_SECONDS_MAX = 10


def bundled() -> list[str]:
    """The directories whose proto files need not be fetched: Google's well-known types and common ones."""
    found = []
    tools = importlib.util.find_spec("grpc_tools")
    if tools is not None and tools.origin is not None:
        found.append(str(Path(tools.origin).parent / "_proto"))
    common = importlib.util.find_spec("google.api")
    if common is not None:
        found += [str(Path(place).parent.parent) for place in common.submodule_search_locations or ()]
    return found


def main(directory: str, file: str, output: str) -> int:
    """The exit code of the compiler, which writes what is wrong to the standard error."""
    _limit()
    from grpc_tools import protoc

    places = [f"--proto_path={place}" for place in (directory, *bundled())]
    return int(protoc.main(["protoc", *places, "--include_imports", f"--descriptor_set_out={output}", file]))


def _limit() -> None:
    limits = (
        (resource.RLIMIT_CPU, CPU_SECONDS_MAX),
        (resource.RLIMIT_FSIZE, OUTPUT_BYTES_MAX),
        (resource.RLIMIT_AS, MEMORY_BYTES_MAX),
        (resource.RLIMIT_CORE, 0),
    )
    for kind, most in limits:
        _, hard = resource.getrlimit(kind)
        with contextlib.suppress(OSError, ValueError):  # not every system has every limit
            resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
