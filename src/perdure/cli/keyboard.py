"""Single keys from the terminal, while something else is drawn on it."""

import asyncio
import contextlib
import os
import sys
import termios
import tty
from collections.abc import Iterator


@contextlib.contextmanager
def keys() -> Iterator["asyncio.Queue[str]"]:
    """Keys as they are pressed, neither echoed nor waiting for Enter. Ctrl-C still interrupts."""
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    pressed: asyncio.Queue[str] = asyncio.Queue(maxsize=100)
    loop = asyncio.get_running_loop()

    def read() -> None:
        data = os.read(descriptor, 100)
        if not data:
            loop.remove_reader(descriptor)
        for key in data.decode(errors="replace"):
            if not pressed.full():
                pressed.put_nowait(key)

    tty.setcbreak(descriptor)
    loop.add_reader(descriptor, read)
    try:
        yield pressed
    finally:
        loop.remove_reader(descriptor)
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
