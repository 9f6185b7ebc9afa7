"""Quotas by name: what is counted of whom, and how an answer tells of it."""

import ipaddress
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Literal

from app.errors import Headers, TooManyRequests
from app.quotas.buckets import Buckets
from app.rates import PERIODS, Rate

Policy = Literal[
    "requests-per-key",
    "requests-per-address",
    "rows-per-key",
    "rows-per-address",
    "wrong-keys-per-address",
]
"""As it is called in headers, metrics and Redis."""

_IPV6_NETWORK = 64
_NAMES = {seconds: name for name, seconds in PERIODS.items()}
_KEPT_OWNERS = 1 << 14


class Quota:
    """One quota, with a bucket for each owner in the memory of this machine.

    Args:
        policy: which it is.
        buckets: of its rate.
        secret: of this service, so that nobody can aim at the bucket of another.
    """

    def __init__(self, policy: Policy, buckets: Buckets, secret: bytes) -> None:
        self.policy, self.buckets = policy, buckets
        self.rate = rate = buckets.rate
        self.stated = f'"{policy}";q={rate.burst};w={rate.window}'
        # Written down, as each request would work them out anew.
        self._begin, self._full, self._parts = f'"{policy}";r=', rate.burst * rate.parts, rate.parts
        self._period, self._units = rate.period, rate.units
        self._secret = secret
        self._take = buckets.take
        self._owners = lru_cache(_KEPT_OWNERS)(self._owner)

    def take(self, owner: str, count: int) -> int:
        """Take so many tokens from the bucket of this owner, as `Buckets.take` does."""
        return self._take(self._owners(owner), count)

    def left(self, due: int) -> str:
        """An item of the RateLimit field, for a bucket that is full again after so many units."""
        seconds = -(-due * self._period // self._units)
        return f"{self._begin}{(self._full - due) // self._parts};t={seconds}"

    def refusal(self, tokens: int, wait: int, stated: str) -> TooManyRequests:
        """The error for who asks for so many tokens, and must wait for so many units of time.

        `stated` are all policies.
        """
        seconds = self.rate.seconds(wait)
        left = max(0, (tokens * self._parts - wait) // self._parts)
        headers = (
            ("RateLimit-Policy", stated),
            ("RateLimit", f"{self._begin}{left};t={seconds}"),
        )
        return TooManyRequests(self.sentence(tokens, left, seconds), seconds, headers)

    def sentence(self, tokens: int, left: int, seconds: int) -> str:
        """Why somebody is refused."""
        what, _, whose = self.policy.replace("-", " ").partition(" per ")
        quota, rate = f"the quota of {what} of this {whose}", in_words(self.rate)
        if not left:
            return f"{quota} is used up, which is {rate}: try again in {seconds} s"
        return (
            f"{quota}, which is {rate}, has {left} left, and {tokens} were asked for: "
            f"try again in {seconds} s, or send fewer"
        )

    def _owner(self, owner: str) -> Any:
        digest = blake2b(owner.encode("utf-8", "surrogatepass"), digest_size=8, key=self._secret)
        return self.buckets.owner(int.from_bytes(digest.digest(), "little"))


def fields(stated: str, left: str) -> Headers:
    """The header fields of an answer, in the syntax of draft-ietf-httpapi-ratelimit-headers."""
    return (("RateLimit-Policy", stated), ("RateLimit", left))


def in_words(rate: Rate) -> str:
    """A rate for people."""
    at_once = "" if rate.burst == rate.count else f", {rate.burst} at once"
    name = _NAMES[rate.period]
    return f"{rate.count} {'an' if name == 'hour' else 'a'} {name}{at_once}"


@lru_cache(maxsize=_KEPT_OWNERS)
def network(address: str) -> str:
    """What counts as one address: that itself, and of IPv6 all of a network of 64 bits.

    Such a network is what a household or a virtual machine gets: it could take another address
    for every request.
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:  # a UNIX socket has none
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((int(found) >> _IPV6_NETWORK << _IPV6_NETWORK, _IPV6_NETWORK)))
