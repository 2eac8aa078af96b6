"""Which addresses outgoing calls may reach: public ones, and the networks that the operator lists.

A definition's author decides where a call goes, so without this guard any author could read what only the
platform's own network may see (server-side request forgery). Names are checked after they are resolved, and
each socket once more before it connects, so that neither an odd spelling of an address nor a name that
changes its address gets around it. Each hop of a redirect is a call of its own.
"""

import asyncio
import socket
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from aiohttp import AddrInfoType, ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult

from perdure.activities.public_addresses import Address, is_public, stands_for, tunnels_to

EVERYTHING = "*"

Network = IPv4Network | IPv6Network


def bracketed(host: str) -> str:
    """A host as it is written before a port: IPv6 addresses in brackets (RFC 3986, section 3.2.2)."""
    return f"[{host}]" if ":" in host else host


class Refused(OSError):
    """The target is not among the networks that may be reached."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"{host} is not a public address. If calls may reach it, the operator adds its network to "
            "PERDURE_EGRESS_ALLOW (for example 10.0.0.0/8,127.0.0.1; * allows all)."
        )


def networks(text: str, setting: str) -> list[Network]:
    """The networks that a setting lists: in CIDR notation, or addresses, separated by commas. Raises `ValueError`."""
    entries = [entry.strip() for entry in text.split(",") if entry.strip()]
    try:
        return [ip_network(entry, strict=False) for entry in entries]
    except ValueError as error:
        raise ValueError(f"{setting}: expected networks like 10.0.0.0/8 separated by commas, or *: {error}") from None


class Guard:
    """Decides by address. `allow` lists networks in CIDR notation, or addresses, separated by commas.

    Raises `ValueError` where `allow` can't be understood.
    """

    def __init__(self, allow: str) -> None:
        entries = [entry.strip() for entry in allow.split(",") if entry.strip()]
        self._everything = EVERYTHING in entries
        self._allowed = networks(",".join(entry for entry in entries if entry != EVERYTHING), "PERDURE_EGRESS_ALLOW")

    def permits(self, host: str) -> bool:
        """Whether the address (a literal, perhaps with an IPv6 zone) may be reached."""
        if self._everything:
            return True
        address = ip_address(host.partition("%")[0])
        reached = stands_for(address) or address
        return all(self._permits(end) for end in (reached, *tunnels_to(reached)))

    def _permits(self, address: Address) -> bool:
        return is_public(address) or any(address in network for network in self._allowed)

    async def addresses(self, host: str, port: int) -> list[str]:
        """The addresses of a host that may be reached, for clients that connect by themselves.

        They must connect to what this answers, not to the name, which may lead elsewhere the next time. Raises
        `Refused` where there is none, `OSError` where the name can't be resolved.
        """
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except UnicodeError as error:
            raise _unusable(host, error) from None
        addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
        permitted = [address for address in addresses if self.permits(address)]
        if not permitted:
            raise Refused(host)
        return permitted

    def open_socket(self, info: AddrInfoType) -> socket.socket:
        """A socket for the address; for aiohttp's connector. Raises `Refused`."""
        family, kind, protocol, _, target = info
        host = str(target[0])
        if not self.permits(host):
            raise Refused(host)
        return socket.socket(family, kind, protocol)

    def connect(self, host: str, port: int, seconds: float) -> socket.socket:
        """A connected, blocking socket to the first address of a name that may be reached and answers.

        Blocks, so it is for a thread. Raises `Refused`, and `OSError` where nobody answers.
        """
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except UnicodeError as error:
            raise _unusable(host, error) from None
        permitted = [info for info in found if self.permits(str(info[4][0]))]
        if not permitted:
            raise Refused(host)
        problem = OSError(f"no address of {host} answers")
        for family, kind, protocol, _, target in permitted:
            made = socket.socket(family, kind, protocol)
            try:
                made.settimeout(seconds)
                made.connect(target)
            except OSError as error:
                made.close()
                problem = error
            else:
                made.settimeout(None)
                return made
        raise problem


def _unusable(host: str, error: UnicodeError) -> OSError:
    """For a name that can't even be asked for, such as one with a label that is empty or too long."""
    return OSError(f"{host[:100]!r} is no name of a host: {error}")


class Resolver(AbstractResolver):
    """Resolves names to the addresses that may be reached. Raises `Refused` where there is no such one."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        permitted = [result for result in found if self._guard.permits(result["host"])]
        if found and not permitted:
            raise Refused(host)
        return permitted

    async def close(self) -> None:
        await self._resolver.close()
