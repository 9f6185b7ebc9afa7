"""Where a request comes from, when it came over proxies that are trusted to say so."""

import ipaddress
from functools import lru_cache

from app.casts import Networks
from app.security import Sender
from app.security.exposure import is_local

FORWARDED = "HTTP_X_FORWARDED_FOR"
"""The header in which each proxy adds the address that it was asked from."""

_SCHEMES = ("http", "https")
_KEPT, _SHORT = 1 << 12, 256
"""How many headers are remembered, and how many characters one may have: about a megabyte."""


class Proxies:
    """The proxies that are trusted.

    Args:
        networks: of their addresses; None among them for the far end of a UNIX socket.

    Attributes:
        is_direct: whether there are none, so that nobody need be asked.
    """

    def __init__(self, networks: Networks) -> None:
        self._networks = networks
        self.is_direct = not networks
        self._kept = lru_cache(_KEPT)(self._address)
        self._trusted = lru_cache(_KEPT)(self._trusts)

    def sender(self, peer: Sender, forwarded: str | None) -> Sender:
        """Who is behind a peer.

        Args:
            peer: at the other end of the connection.
            forwarded: what the request has at FORWARDED.

        Returns:
            Where the last proxy that is trusted was asked from. What is farther away is hearsay.
        """
        if self.is_direct or forwarded is None:
            return peer
        if not self._trusted(peer.address):  # a stranger must not have anything remembered
            return peer
        find = self._kept if len(forwarded) <= _SHORT else self._address
        return peer._replace(address=find(peer.address, forwarded))

    def scheme(self, peer: Sender, said: str | None, own: str) -> str:
        """By which scheme a client asked.

        Args:
            peer: at the other end of the connection.
            said: what the request has as X-Forwarded-Proto.
            own: that of the connection.
        """
        if said not in _SCHEMES or not self._trusts(peer.address):
            return own
        return said

    def _address(self, peer: str, forwarded: str) -> str:
        address = elsewhere = peer
        for said in reversed(forwarded.split(",")):
            if not self._trusts(address):
                break
            found = _address_in(said.strip())
            if found is None:  # nobody can tell what else is wrong with it
                break
            address = found
            elsewhere = elsewhere if is_local(found) else found
        # What another machine calls itself is not this one, which may be all that is let in.
        return address if is_local(peer) else elsewhere

    def _trusts(self, address: str) -> bool:
        if not address:
            return None in self._networks
        found = ipaddress.ip_address(address.partition("%")[0])
        mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
        return any(
            network is not None and (mapped or found) in network for network in self._networks
        )


def _address_in(text: str) -> str | None:
    """The address in an item, which may have a port behind it; None where it is none.

    A zone is left out: it is any text, and means something on the proxy's machine alone.
    """
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return str(type(found)(int(found)))
