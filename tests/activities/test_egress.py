import pytest

from perdure.activities.egress import Guard, Refused

INSIDE = (
    "0.0.0.0",
    "0.255.255.255",
    "10.0.0.0",
    "10.255.255.255",
    "100.64.0.0",
    "100.100.100.200",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.255",
    "168.63.129.16",
    "169.254.0.0",
    "169.254.169.254",
    "169.254.170.2",
    "169.254.255.255",
    "172.16.0.0",
    "172.31.255.255",
    "192.0.0.0",
    "192.0.0.170",
    "192.0.0.192",
    "192.0.0.255",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.0",
    "192.168.255.255",
    "198.18.0.0",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.0",
    "239.255.255.255",
    "240.0.0.0",
    "255.255.255.255",
)
OUTSIDE = (
    "1.0.0.0",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "168.63.129.15",
    "168.63.129.17",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "191.255.255.255",
    "192.0.1.0",
    "192.0.3.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "198.51.99.255",
    "203.0.114.0",
    "223.255.255.255",
)
INSIDE_V6 = (
    "::",
    "::1",
    "::7f00:1",
    "::127.0.0.1",
    "::ffff:0:127.0.0.1",
    "64:ff9b:1::1",
    "64:ff9b:1::a00:1",
    "100::1",
    "200::1",
    "1fff:ffff::1",
    "2001::1",
    "2001:0:808:808::1",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:1ff:ffff::1",
    "2001:db8::1",
    "2002::1",
    "2002:a00:1::",
    "2002:7f00:1::1",
    "2002:808:808::1",
    "3fff::1",
    "3fff:fff:ffff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fdff:ffff::1",
    "fe80::1",
    "fe80::1%eth0",
    "febf::1",
    "fec0::1",
    "feff::1",
    "ff00::1",
    "ff02::1",
    "ff0e::1",
    "ffff::1",
)
OUTSIDE_V6 = (
    "2000::1",
    "2001:200::1",
    "2001:4860:4860::8888",
    "2606:4700::1111",
    "2a00::1",
    "3ffe::1",
    "3fff:1000::1",
)


@pytest.mark.parametrize("address", [*INSIDE, *INSIDE_V6])
def test_addresses_inside(address):
    assert not Guard("").permits(address)
    assert Guard("*").permits(address)


@pytest.mark.parametrize("address", [*OUTSIDE, *OUTSIDE_V6])
def test_public_addresses(address):
    assert Guard("").permits(address)


@pytest.mark.parametrize("prefix", ["::ffff:", "64:ff9b::"])
def test_addresses_that_stand_for_others_are_as_those(prefix):
    guard = Guard("")
    assert [a for a in INSIDE if guard.permits(prefix + a)] == []
    assert [a for a in OUTSIDE if not guard.permits(prefix + a)] == []
    assert Guard("10.0.0.0/8").permits(prefix + "10.0.0.1")
    assert not Guard("::/0").permits(prefix + "10.0.0.1")


def test_tunnels_need_both_ends_allowed():
    assert not Guard("2002::/16").permits("2002:a00:1::1")
    assert Guard("2002::/16").permits("2002:808:808::1")
    assert Guard("2002::/16,10.0.0.0/8").permits("2002:a00:1::1")
    hidden = "2001:0:808:808:0:0:f5ff:fffe"  # Teredo: the client's address, its bits flipped, is 10.0.0.1
    assert not Guard("2001::/32").permits(hidden)
    assert Guard("2001::/32,10.0.0.0/8").permits(hidden)


def test_allowed_networks():
    guard = Guard(" 10.0.0.0/8, fd00::/8,192.168.1.7 ")
    assert [guard.permits(a) for a in ("10.9.9.9", "fd00::1", "192.168.1.7")] == [True] * 3
    assert [guard.permits(a) for a in ("192.168.1.8", "127.0.0.1", "::1")] == [False] * 3
    assert guard.permits("::ffff:10.0.0.1")


def test_a_list_that_is_none():
    with pytest.raises(ValueError, match=r"PERDURE_EGRESS_ALLOW: expected networks like"):
        Guard("10.0.0.0/8,intranet")


async def test_clients_that_connect_by_themselves_get_addresses():
    assert await Guard("127.0.0.0/8,::1").addresses("127.0.0.1", 80) == ["127.0.0.1"]
    assert set(await Guard("127.0.0.0/8,::1").addresses("localhost", 80)) <= {"127.0.0.1", "::1"}
    assert await Guard("127.0.0.2").addresses("127.2", 80) == ["127.0.0.2"]
    for host in ("127.0.0.1", "localhost", "0", "169.254.169.254", "::ffff:127.0.0.1"):
        with pytest.raises(Refused, match="PERDURE_EGRESS_ALLOW"):
            await Guard("127.0.0.2").addresses(host, 80)


@pytest.mark.parametrize("host", ["a" * 64, "a..b", "\ud800", "é" * 80])
async def test_names_that_are_none_are_trouble_with_the_name(host):
    with pytest.raises(OSError, match="is no name of a host"):
        await Guard("").addresses(host, 80)
    with pytest.raises(OSError, match="is no name of a host"):
        Guard("").connect(host, 80, 1)
