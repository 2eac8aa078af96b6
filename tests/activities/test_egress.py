import pytest

from perdure.activities.egress import Guard, Refused


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "198.18.0.1",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "2002:a00:1::",
    ],
)
def test_addresses_inside(address):
    assert not Guard("").permits(address)
    assert Guard("*").permits(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses(address):
    assert Guard("").permits(address)


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
