"""Which addresses are public: anyone's on the Internet, and nobody's of the platform's own surroundings.

A list of our own, after IANA's registries of special-purpose addresses (RFC 6890), as `ipaddress.is_global` answers
otherwise from one patch release of Python to the next. Of IPv6 it is the other way round: of all the space only
``2000::/3`` has been given out (RFC 4291, section 2.4), so what is not in there is not public.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address

_SPECIAL_V4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network; connects to this machine
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared, behind carriers' NAT; metadata of some clouds
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # Azure's platform, seen by its machines only
        "169.254.0.0/16",  # link-local; metadata of most clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments; metadata of some clouds
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays of 6to4, no longer in use
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
_GIVEN_OUT_V6 = IPv6Network("2000::/3")
_SPECIAL_V6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments; Teredo, which leads to an IPv4 address
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which leads to an IPv4 address
        "3fff::/20",  # documentation
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")


def is_public(address: Address) -> bool:
    """An IPv6 address that stands for an IPv4 address (see `stands_for`) is as public as that."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _SPECIAL_V4)
    other = stands_for(address)
    if other is not None:
        return is_public(other)
    return address in _GIVEN_OUT_V6 and not any(address in network for network in _SPECIAL_V6)


def stands_for(address: Address) -> IPv4Address | None:
    """The IPv4 address that is reached by this IPv6 address: mapped (RFC 4291), or by NAT64 (RFC 6052)."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped


def tunnels_to(address: Address) -> tuple[IPv4Address, ...]:
    """The IPv4 addresses that packets to this IPv6 address are wrapped up for: 6to4 (RFC 3056), Teredo (RFC 4380)."""
    if isinstance(address, IPv4Address):
        return ()
    ends = (address.sixtofour, *(address.teredo or ()))
    return tuple(end for end in ends if end is not None)
