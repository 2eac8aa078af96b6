"""Channels of gRPC calls: to addresses that may be reached, encrypted where they must be, kept for the next call.

gRPC would resolve names by itself, so channels get the addresses that the guard has permitted, and the name only
as what the server's certificate is checked against.
"""

import asyncio
import contextlib
import ssl
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import grpc
import grpc.aio

from perdure.activities.egress import Guard, Network, bracketed

TLS_PORT = 443
TLS_PORTS = frozenset({443, 8443})
"""Ports where TLS is spoken, whatever the address."""

CHANNELS_MAX = 64
PROBE_SECONDS_MAX = 3.0
USER_AGENT = "perdure"


@dataclass(slots=True)
class Channel:
    """An open channel and how many calls use it now."""

    rpc: grpc.aio.Channel
    secure: bool
    users: int = 0
    gone: bool = False


class Channels:
    """One per worker. Keeps `CHANNELS_MAX` channels, and those in use."""

    def __init__(self, guard: Guard, plaintext: Sequence[Network], response_bytes_max: int) -> None:
        self._guard = guard
        self._plaintext = plaintext
        self._response_bytes_max = response_bytes_max
        self._kept: OrderedDict[tuple[str, int, tuple[str, ...]], Channel] = OrderedDict()
        self._opening: dict[tuple[str, int, tuple[str, ...]], asyncio.Lock] = {}

    async def close(self) -> None:
        channels = list(self._kept.values())
        self._kept.clear()
        for channel in channels:
            await channel.rpc.close()

    @contextlib.asynccontextmanager
    async def lease(self, host: str, port: int) -> AsyncIterator[Channel]:
        """A channel for one call. Raises `egress.Refused`, and `OSError` where the name can't be resolved.

        A caller that finds it broken says so with `gone`; it is not used again.
        """
        key = (host, port, tuple(sorted(await self._guard.addresses(host, port))))
        async with self._opening.setdefault(key, asyncio.Lock()):
            try:
                channel = self._kept.get(key)
                if channel is None:
                    opened = await self._open(*key)
                    channel = self._kept.setdefault(key, opened)
                    if channel is not opened:
                        await opened.rpc.close()
                self._kept.move_to_end(key)
                channel.users += 1
            finally:
                self._opening.pop(key, None)
        try:
            yield channel
        finally:
            channel.users -= 1
            if channel.gone and self._kept.get(key) is channel:
                del self._kept[key]
            if channel.gone and not channel.users:
                await channel.rpc.close()
            await self._shrink()

    async def _shrink(self) -> None:
        for key, channel in tuple(self._kept.items()):
            if len(self._kept) <= CHANNELS_MAX:
                return
            if not channel.users:
                del self._kept[key]
                await channel.rpc.close()

    async def _open(self, host: str, port: int, addresses: Sequence[str]) -> Channel:
        version, speaks_tls = await _probe(addresses, port)
        usable = [address for address in addresses if ip_address(address).version == version]
        secure = port in TLS_PORTS or speaks_tls or not all(map(self._may_be_plain, usable))
        target = _target(version, usable, port)
        options = [
            ("grpc.default_authority", f"{bracketed(host)}:{port}"),
            ("grpc.primary_user_agent", USER_AGENT),
            ("grpc.enable_http_proxy", 0),
            ("grpc.service_config_disable_resolution", 1),
            ("grpc.max_receive_message_length", self._response_bytes_max),
            ("grpc.max_send_message_length", -1),
            ("grpc.use_local_subchannel_pool", 1),
        ]
        if not secure:
            return Channel(grpc.aio.insecure_channel(target, options), secure)
        options.append(("grpc.ssl_target_name_override", host))
        roots = await asyncio.to_thread(_roots)
        return Channel(grpc.aio.secure_channel(target, grpc.ssl_channel_credentials(roots), options), secure)

    def _may_be_plain(self, address: str) -> bool:
        parsed = ip_address(address)
        return any(parsed in network for network in self._plaintext if network.version == parsed.version)


def _target(version: int, addresses: Sequence[str], port: int) -> str:
    """The addresses as gRPC's name resolution takes them (gRPC Name Resolution, "ipv4" and "ipv6")."""
    return f"ipv{version}:{','.join(f'{bracketed(address)}:{port}' for address in addresses)}"


async def _probe(addresses: Sequence[str], port: int) -> tuple[int, bool]:
    """The IP version that leads to the server, and whether TLS is spoken there.

    Where nothing can be reached, the first address decides; the call itself says then what is wrong.
    """
    for address in addresses:
        with contextlib.suppress(OSError, TimeoutError):
            return ip_address(address).version, await _speaks_tls(address, port)
    return ip_address(addresses[0]).version, False


async def _speaks_tls(address: str, port: int) -> bool:
    """Whether a server greets with TLS. Its certificate is looked at by the channel, not here."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    async with asyncio.timeout(PROBE_SECONDS_MAX):
        _, writer = await asyncio.open_connection(address, port)
        try:
            await writer.start_tls(context, ssl_handshake_timeout=PROBE_SECONDS_MAX)
        except (ssl.SSLError, OSError):
            return False
        finally:
            writer.transport.abort()
        return True


def _roots() -> bytes | None:
    """The certificates that this machine trusts (also by ``SSL_CERT_FILE``); None for those that gRPC brings."""
    place = ssl.get_default_verify_paths().cafile
    return Path(place).read_bytes() if place is not None else None
