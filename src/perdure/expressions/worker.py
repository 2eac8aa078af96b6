"""The program inside the sandbox: takes jq programs with their input from standard input, answers on it.

It runs on its own (``python -I -S worker.py``), imports nothing of the platform, has an empty environment,
and can neither open files nor grow beyond its memory. Standard input is one end of a socket pair: when the
other end closes, it ends. Time limits are signals that kill it, since a jq program that never ends can't be
interrupted otherwise.

A request is a length (4 bytes, big endian), the length of a header (4 bytes), the header (JSON:
``{"check": bool, "programs": [[text, [variable, …]], …]}``) and the input: the JSON text
``[input, {variable: value, …}]``. The answer is one frame for each program, in order: a status byte, a
length (4 bytes) and UTF-8 text. All programs of one request share one time limit.
"""

import contextlib
import json
import os
import resource
import signal
import socket
import sys
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeAlias

VALUE = b"v"
NOTHING = b"n"
FAILED = b"e"
INVALID = b"c"

Key: TypeAlias = tuple[str, tuple[str, ...]]
Answer: TypeAlias = tuple[bytes, str]

PROGRAMS_CACHED_MAX = 256

REAL_TIME_FACTOR = 5
"""Time spent waiting for a processor counts this much less than time spent computing."""

PRELUDE = (
    " ".join(
        f'def {name}: error("{what} is not available in expressions");'
        for name, what in {
            "input": "input",
            "inputs": "inputs",
            "input_line_number": "input_line_number",
            "input_filename": "input_filename",
            "halt": "halt",
            "halt_error": "halt_error",
            "halt_error(f)": "halt_error",
            "modulemeta": "modulemeta",
            "get_search_list": "get_search_list",
            "get_prog_origin": "get_prog_origin",
            "get_jq_origin": "get_jq_origin",
        }.items()
    )
    + " def debug: .; def debug(f): (f | empty), .; def stderr: .;"
    + " def env: {}; {} as $ENV | "
)
"""Shadows everything by which a jq program could look or act outside itself. What only writes passes its input on,
as in jq, and writes nothing."""


def source(text: str, names: Iterable[str]) -> str:
    """The program around an author's expression. The expression begins on its second line, in brackets, so
    that ``import``, ``include`` and ``module`` are syntax errors; variables are taken from the input, so
    that one compiled program serves all values.
    """
    bindings = "".join(f".[1].{name} as ${name} | " for name in names)
    return f"{PRELUDE}{bindings}.[0] | (\n{text}\n) | tojson"


def main() -> None:
    jq_directory, seconds = sys.argv[1], float(sys.argv[2])
    memory_bytes, output_bytes = int(sys.argv[3]), int(sys.argv[4])
    sys.path.append(jq_directory)
    import jq

    channel = socket.socket(fileno=0)
    restrict(memory_bytes)
    requests = channel.makefile("rb")
    programs: OrderedDict[Key, Any] = OrderedDict()

    def compiled(key: Key) -> Any:
        if key in programs:
            programs.move_to_end(key)
            return programs[key]
        programs[key] = program = jq.compile(source(*key))
        if len(programs) > PROGRAMS_CACHED_MAX:
            programs.popitem(last=False)
        return program

    def evaluate(key: Key, document: str) -> Answer:
        try:
            program = compiled(key)
        except ValueError as error:
            return INVALID, str(error)
        try:
            result = next(iter(program.input_text(document)), None)
        except ValueError as error:
            return FAILED, str(error)
        if result is None:
            return NOTHING, ""
        return VALUE, result

    def check(key: Key) -> Answer:
        # The second form refuses what is balanced only together with the brackets that it closes.
        text, names = key
        try:
            jq.compile(source(text, names))
            jq.compile(source(f"[\n{text}\n]", names))
        except ValueError as error:
            return INVALID, str(error)
        return VALUE, ""

    while head := requests.read(4):
        body = requests.read(int.from_bytes(head, "big"))
        header_end = 4 + int.from_bytes(body[:4], "big")
        header = json.loads(body[4:header_end])
        document = body[header_end:].decode()
        limit(seconds)
        for text, names in header["programs"]:
            key = (text, tuple(names))
            status, answer = check(key) if header["check"] else evaluate(key, document)
            encoded = answer.encode("utf-8", "replace")
            if len(encoded) > output_bytes:
                status, encoded = (
                    FAILED,
                    f"its result is longer than {output_bytes} bytes (PERDURE_PAYLOAD_BYTES_MAX)".encode(),
                )
            channel.sendall(status + len(encoded).to_bytes(4, "big") + encoded)
        limit(0)


def limit(seconds: float) -> None:
    """Be killed when this much time has passed; 0 lifts the limit."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, seconds * REAL_TIME_FACTOR)


def restrict(memory_bytes: int) -> None:
    """Give up every right that evaluation does not need. Ends the process where the system refuses."""
    for number in (signal.SIGPROF, signal.SIGALRM):
        signal.signal(number, signal.SIG_DFL)
    for number in (signal.SIGINT, signal.SIGTERM):  # meant for the owner, which ends this one when it is done
        signal.signal(number, signal.SIG_IGN)
    os.environ.clear()
    with contextlib.suppress(OSError):  # where the machine runs out of memory, end this process first
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
    if hasattr(resource, "RLIMIT_NPROC"):
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    if sys.platform != "darwin":  # which refuses it
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))


if __name__ == "__main__":
    main()
