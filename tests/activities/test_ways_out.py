"""No way out leads to an address that may not be reached, however it is written, and whatever a name says.

Attempts are seen where they can't be missed: Python tells an audit hook of each socket that connects (PEP 578), and
a listener waits at the address that matters most.
"""

import asyncio
import contextlib
import socket
import sys
from ipaddress import ip_address

import pytest
from aiohttp import web
from ways_out import STAGE, WAYS, Stage

from perdure.activities.contract import CallFailed
from perdure.activities.outside import Outside
from perdure.secrets import Secrets
from perdure.settings import Settings

CLASSES = (
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "[::]",
    "[::1]",
    "[::7f00:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:a9fe:a9fe]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::1]",
    "[100::1]",
    "[2001::1]",
    "[2001:db8::1]",
    "[2002:7f00:1::1]",
    "[3fff::1]",
    "[5f00::1]",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "[fec0::1]",
    "[ff02::1]",
)
"""One of each kind that is refused."""

SPELLINGS = (
    "127.1",
    "127.0.1",
    "0x7f.1",
    "0x7f000001",
    "2130706433",
    "0177.0.0.1",
    "017700000001",
    "0",
    "0x0",
    "localhost",
    "LOCALHOST",
    "127.0.0.1.",
    "%31%32%37.0.0.1",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0000::1]",
    "[::1%25lo]",
    "[::1%lo]",
)
"""Of addresses of this machine. What can't be understood at all must not lead there either."""


class _Seen:
    """The addresses that sockets were told to connect to."""

    def __init__(self):
        self.addresses = None

    def __call__(self, event, arguments):
        if event == "socket.connect" and self.addresses is not None and isinstance(arguments[1], tuple):
            self.addresses.append(str(arguments[1][0]))


_seen = _Seen()
sys.addaudithook(_seen)


@pytest.fixture
def connected():
    """Where sockets were led to while the test ran."""
    _seen.addresses = found = []
    yield found
    _seen.addresses = None


class _Trap:
    """Listens at 127.0.0.1."""

    def __init__(self):
        self.port = 0
        self.caught = 0

    def catch(self, _, writer):
        self.caught += 1
        writer.close()


@pytest.fixture
async def trap():
    trap = _Trap()
    server = await asyncio.start_server(trap.catch, "127.0.0.1", 0)
    trap.port = server.sockets[0].getsockname()[1]
    yield trap
    server.close()
    await server.wait_closed()
    assert trap.caught == 0


@pytest.fixture
async def stage(trap):
    """At the trap's port, so that a name may lead to either."""
    stage = Stage()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", stage.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, STAGE, trap.port).start()
    stage.base = f"http://{STAGE}:{trap.port}"
    yield stage
    await runner.cleanup()


@pytest.fixture
async def outside(request):
    """Parametrised indirectly with the seconds that a call may take."""
    seconds = getattr(request, "param", 5)
    settings = Settings(_env_file=None, egress_allow=STAGE, call_timeout_seconds=seconds, run_script=True)
    outside = Outside(settings, Secrets({}))
    await outside.start()
    yield outside
    await outside.stop()


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_every_kind_of_address_is_refused(way, outside, stage, trap, connected):
    for host in CLASSES:
        with pytest.raises((CallFailed, ConnectionError)) as caught:
            await way(outside, stage, f"{host}:{trap.port}")
        if isinstance(caught.value, CallFailed):
            error = caught.value.error
            assert (error.type.rpartition("/")[2], error.status) == ("authorization", 403), (host, error)
            assert "PERDURE_EGRESS_ALLOW" in error.detail
        else:
            assert "PERDURE_EGRESS_ALLOW" in str(caught.value)
    assert set(connected) <= {STAGE}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_odd_spellings_lead_nowhere(way, outside, stage, trap, connected):
    for host in SPELLINGS:
        with pytest.raises((CallFailed, ConnectionError)):
            await way(outside, stage, f"{host}:{trap.port}")
    assert set(connected) <= {STAGE}


class _Names:
    """Names that end in ``.test``, in place of a name server: their answers, one after another, the last for ever."""

    def __init__(self):
        self.answers = {}
        self._real = socket.getaddrinfo

    def lead(self, name, *answers):
        self.answers[name] = [list(answer) for answer in answers]

    def __call__(self, host, port, family=0, type=0, proto=0, flags=0):  # noqa: A002
        name = host.decode() if isinstance(host, bytes) else host
        if name is None or not name.endswith(".test"):
            return self._real(host, port, family, type, proto, flags)
        left = self.answers[name]
        addresses = left.pop(0) if len(left) > 1 else left[0]
        return [_info(address, port) for address in addresses]


def _info(address, port):
    v6 = ip_address(address.partition("%")[0]).version == 6
    where = (address, int(port or 0), 0, 0) if v6 else (address, int(port or 0))
    return (socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", where)


@pytest.fixture
def names(monkeypatch):
    names = _Names()
    monkeypatch.setattr(socket, "getaddrinfo", names)
    return names


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_names_of_what_is_inside_are_refused(way, outside, stage, trap, names, connected):
    names.lead("inside.test", ["127.0.0.1", "10.0.0.1", "::1", "::ffff:127.0.0.1", "fe80::1%lo", "169.254.169.254"])
    with pytest.raises((CallFailed, ConnectionError)) as caught:
        await way(outside, stage, f"inside.test:{trap.port}")
    assert "PERDURE_EGRESS_ALLOW" in (
        caught.value.error.detail if isinstance(caught.value, CallFailed) else str(caught)
    )
    assert set(connected) <= {STAGE}


@pytest.mark.parametrize("outside", [0.4], indirect=True, ids=[""])  # the stage keeps some protocols waiting
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_of_several_addresses_only_those_outside_are_tried(way, outside, stage, trap, names, connected):
    names.lead("mixed.test", ["127.0.0.1", "::1", STAGE, "::ffff:127.0.0.1", "10.0.0.1"])
    with contextlib.suppress(CallFailed, ConnectionError):
        await way(outside, stage, f"mixed.test:{trap.port}")
    assert set(connected) == {STAGE}


@pytest.mark.parametrize("outside", [0.4], indirect=True, ids=[""])  # the stage keeps some protocols waiting
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_names_that_lead_elsewhere_the_next_time(way, outside, stage, trap, names, connected):
    """DNS rebinding: what was checked and what is connected to must be one and the same, at each try."""
    names.lead("rebinding.test", [STAGE], ["127.0.0.1"], ["::1"], ["10.0.0.1"])
    for _ in range(3):
        with contextlib.suppress(CallFailed, ConnectionError):
            await way(outside, stage, f"rebinding.test:{trap.port}")
    assert set(connected) <= {STAGE}
