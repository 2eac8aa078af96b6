"""Ports on this machine that stay the same from run to run."""

import socket

from perdure import clock
from perdure.demo.memory import Memory

FIRST, LAST = 20_000, 32_000
"""Below the ports that systems give to outgoing connections, which come and go."""
LOOPBACK = "127.0.0.1"
TRIES_MAX = 200


class PortTaken(Exception):
    """A port that must stay the same is used by another program."""

    def __init__(self, name: str, port: int) -> None:
        super().__init__(f"port {port}, which the {name} used before, is taken by another program")
        self.name = name
        self.port = port


def kept(memory: Memory, name: str, preferred: int | None = None) -> int:
    """The port that `name` had before, else the preferred or another free one, remembered from now on.

    Raises `PortTaken` where the one from before isn't free.
    """
    ports = memory.part("ports")
    known = ports.get(name)
    if known is not None:
        if not is_free(known):
            raise PortTaken(name, known)
        return int(known)
    taken = set(ports.values())
    port = preferred if preferred is not None and is_free(preferred) else _any(taken)
    keep(memory, name, port)
    return port


def keep(memory: Memory, name: str, port: int) -> None:
    """Remember the port of `name`."""
    memory.part("ports")[name] = port
    memory.save()


def is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def _any(taken: set[int]) -> int:
    for _ in range(TRIES_MAX):
        port = FIRST + int.from_bytes(clock.random_bytes(4)) % (LAST - FIRST)
        if port not in taken and is_free(port):
            return port
    raise OSError(f"no free port between {FIRST} and {LAST} on {LOOPBACK}")
