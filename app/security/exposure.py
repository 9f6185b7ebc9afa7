"""Whether others than this machine can reach an address."""

import socket
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Any

HOW_TO = (
    "make a key with `flask --app wsgi keys new` and set ORDINATE_AUTH=on, "
    "or set ORDINATE_ALLOW_OPEN=on if everybody who reaches it may predict"
)


@lru_cache(maxsize=1024)
def is_local(address: str) -> bool:
    """Whether this is the address of a sender on this machine; a UNIX socket has none."""
    if address in ("", "localhost"):
        return True
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped.is_loopback
    return found.is_loopback


def exposed(addresses: Iterable[Any]) -> list[str]:
    """Those of the addresses to listen on that others can reach, as HOST:PORT.

    Args:
        addresses: as sockets name them: (host, port, ...) for TCP. Anything else is a UNIX socket,
            or not known yet.
    """
    return [
        f"{address[0]}:{address[1]}"
        for address in addresses
        if isinstance(address, tuple) and not _listens_locally(address[0])
    ]


def _listens_locally(host: str) -> bool:
    """Whether all that a name stands for is of this machine; nothing at all is every interface."""
    if not host:
        return False
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:  # nothing can listen there, which the server says better
        return True
    return all(is_local(str(each[4][0])) for each in found)
