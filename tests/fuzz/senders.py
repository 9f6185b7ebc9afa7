"""Where a request comes from, over proxies that say so, and rates: against slow references.

The first line holds networks, the second the peer, the third the header; a rate is tried of each.
"""

import ipaddress
import socket
from collections.abc import Iterator

from app.casts import Networks, proxies
from app.http.proxies import Proxies
from app.quotas.policies import network
from app.rates import MOST_SECONDS, PERIODS, Rate, rate, rates
from app.security import Sender
from app.security.exposure import is_local

PEERS = ("10.1.2.3", "198.51.100.7", "::1", "::ffff:10.1.2.3", "fe80::1%eth0", "2001:db8::7", "")
NETWORKS = (
    "10.0.0.0/8,::1",
    "unix",
    "0.0.0.0/0,::/0,unix",
    "fe80::/10, 10.1.2.3",
    "::/96",
    "",
    "x",
)
ITEMS = (
    *PEERS,
    *("[2001:db8::7]:47", "[::1", "[::1]x", "[10.1.2.3]", "198.51.100.7:4711", "10.1.2.3:", "a:b"),
    *("127.0.0.1", "::1", "::ffff:127.8.8.8", "127.0.0.1, 10.9.9.9", "127.0.0.1, ::1"),
    *("010.1.2.3", "10.1.2", "10.1.2.3.4", "1.2.3.256", "0x0a.1.2.3", "167838211", "unknown"),
    *(
        "::FFFF:10.1.2.3",
        "::10.1.2.3",
        "1::2::3",
        "1:2:3:4:5:6:7:8:9",
        ":::",
        "fe80::1%",
        "::1%a%b",
    ),
    *("fe80::1%e\xff\t", "\xb2.1.1.1", "\u0661.1.1.1", "_hidden", 'for="[::1]"', "10.1.2.3\x00"),
)
RATES = (
    *(
        "100/second",
        "1/day:30",
        "1000000/second:200",
        "1000001/second",
        "999999999999/day",
        "0/day",
    ),
    *(
        "5/minute,web=none,other=7/hour:9",
        "web=1/second",
        "none",
        "1/day:31",
        "a=1/day,a=1/day",
        ",",
    ),
)


def seeds() -> Iterator[bytes]:
    """Each network with each peer, each item alone and among others, each rate."""
    for networks in NETWORKS:
        for peer in PEERS:
            yield _input(networks, peer, "203.0.113.9, 10.9.9.9")
    for item in ITEMS:
        yield _input(NETWORKS[0], PEERS[0], item)
        yield _input(NETWORKS[2], PEERS[0], f"203.0.113.9 ,\t{item},10.9.9.9")
    yield _input(NETWORKS[2], PEERS[0], "," * 2000)
    yield from (each.encode() for each in RATES)


def check(data: bytes) -> None:
    """Ask who sent a request with this header, and take each line for rates."""
    networks, _, rest = data.decode("latin-1").partition("\n")
    peer, _, header = rest.partition("\n")
    _check_sender(networks, peer if peer in PEERS else PEERS[0], header)
    for text in (networks, data.decode("utf-8", "replace")):
        _check_rates(text)


def _check_sender(setting: str, peer: str, header: str) -> None:
    try:
        trusted = proxies(setting)
    except ValueError:
        trusted = proxies(NETWORKS[0])
    sender = Sender(peer, "name")
    found = Proxies(trusted).sender(sender, header)
    assert found == Sender(nearest(trusted, peer, header), "name")
    if found.address != peer:
        ipaddress.ip_address(found.address)
        assert found.address.isascii()
        assert found.address.isprintable()
    assert Proxies(trusted).sender(sender, None) == sender
    assert isinstance(is_local(found.address), bool)
    assert network(network(found.address)) or not peer


def nearest(trusted: Networks, peer: str, header: str) -> str:
    """The first address that is not trusted, from the peer on; the last there is if all are.

    Behind a mistake in the header all is unknown. Where the peer is another machine, an address of
    loopback is not this one's, and the one before it counts.
    """
    chain = [peer]
    if trusted:
        for item in header.split(",")[::-1]:
            if (address := written(item.strip())) is None:
                break
            chain.append(address)
    ends = (number for number, each in enumerate(chain) if not _is_among(trusted, each))
    believed = chain[: next(ends, len(chain)) + 1]
    if _is_here(peer):
        return believed[-1]
    return [each for each in believed if not _is_here(each)][-1]


def _is_here(address: str) -> bool:
    return _is_among(proxies("unix,127.0.0.0/8,::1"), address)


def written(item: str) -> str | None:
    """The address in an item of the header, as the system's own reader takes it; of no zone."""
    if item.startswith("["):
        item = item[1:].partition("]")[0]
    elif item.count(":") == 1:
        item = item.partition(":")[0]
    address, *zones = item.split("%")
    families = (socket.AF_INET6,) if zones else (socket.AF_INET, socket.AF_INET6)
    one_zone = all(zones) and len(zones) < 2 and "/" not in item
    for family in families if one_zone else ():
        try:
            number = socket.inet_pton(family, address)
        except (OSError, ValueError):
            continue
        return str(ipaddress.ip_address(number))
    return None


def _is_among(trusted: Networks, address: str) -> bool:
    """Whether the number of an address lies within a network's; IPv4 also as IPv6 has it."""
    if not address:
        return None in trusted
    found = ipaddress.ip_address(address.partition("%")[0])
    version, number = found.version, int(found)
    if version == 6 and number >> 32 == 0xFFFF:
        version, number = 4, number & 0xFFFFFFFF
    return any(
        each.version == version and int(each[0]) <= number <= int(each[-1])
        for each in trusted
        if each is not None
    )


def _check_rates(text: str) -> None:
    """A rate reads back as it is shown, and its numbers are whole ones that counters can hold."""
    try:
        found = rates(text)
    except ValueError:
        return
    for each in (found.default, *found.named.values()):
        if each is not None:
            _check_rate(each)
    assert rates(str(found)) == found
    assert found.of("nobody's") in (found.default, None)
    assert bool(found) == any((found.default, *found.named.values()))


def _check_rate(found: Rate) -> None:
    assert rate(str(found)) == found
    assert found.period in PERIODS.values()
    assert 1 <= found.window <= MOST_SECONDS
    assert 0 < found.burst * found.parts < 1 << 47
    unit = found.period * 1_000_000 / found.units
    assert unit >= 1, "a unit of time is shorter than a microsecond"
    assert found.seconds(found.units) == found.period


def _input(networks: str, peer: str, header: str) -> bytes:
    return "\n".join((networks, peer, header)).encode("utf-8")
