"""Texts of settings become values, and what is not allowed is a ValueError."""

from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any

import pytest

from app import casts

ALLOWED: dict[str, tuple[Callable[[str], Any], str, Any]] = {
    "least": (casts.integer(5, 10), "5", 5),
    "most": (casts.integer(5, 10), "10", 10),
    "zeros in front": (casts.integer(5, 10), "0007", 7),
    "word": (casts.one_of("auto", "pickle"), "auto", "auto"),
    "on": (casts.switch, "on", True),
    "off": (casts.switch, "off", False),
    "model": (casts.model, "german-credit_2", "german-credit_2"),
    "no model": (casts.optional(casts.model), "", None),
    "some model": (casts.optional(casts.model), "tiny", "tiny"),
    "IPv6": (casts.host, "::1", "::1"),
    "path": (casts.path, "no/such/folder", Path("no/such/folder")),
    "all": (casts.all_or_some, "all", None),
    "some": (casts.all_or_some, "3", 3),
    "share": (casts.share, "tiny:12.5", ("tiny", 0.125)),
    "no proxies": (casts.proxies, "", frozenset()),
    "proxies": (
        casts.proxies,
        "10.0.0.0/8, ::1,unix",
        frozenset((IPv4Network("10.0.0.0/8"), IPv6Network("::1/128"), None)),
    ),
    "a store": (
        casts.redis_url,
        "redis://me:s%2Fe@cache:6380/2",
        casts.Secret("redis://me:s%2Fe@cache:6380/2"),
    ),
    "a store of IPv6": (casts.redis_url, "redis://[::1]", casts.Secret("redis://[::1]")),
    "a store with CAs of its own": (
        casts.redis_url,
        "rediss://:s@cache?ssl_ca_certs=/ca.pem",
        casts.Secret("rediss://:s@cache?ssl_ca_certs=/ca.pem"),
    ),
}

REFUSED: dict[str, tuple[Callable[[str], Any], str]] = {
    "too little": (casts.integer(5, 10), "4"),
    "too much": (casts.integer(5, 10), "11"),
    "a sign": (casts.integer(5, 10), "+7"),
    "a space": (casts.integer(5, 10), " 7"),
    "digits of another script": (casts.integer(5, 10), "\N{ARABIC-INDIC DIGIT SEVEN}"),
    "more digits than any number needs": (casts.integer(5, 10), "0" * 5000 + "7"),
    "another word": (casts.one_of("auto", "pickle"), "Auto"),
    "a switch of another house": (casts.switch, "true"),
    "the name of a file": (casts.model, "default"),
    "an empty name": (casts.model, ""),
    "a line end behind a name": (casts.model, "tiny\n"),
    "a URL for a host": (casts.host, "http://localhost"),
    "none": (casts.all_or_some, "0"),
    "more than all": (casts.share, "tiny:100.1"),
    "a share of nothing": (casts.share, ":5"),
    "an infinite share": (casts.share, "tiny:inf"),
    "a network with bits of a host": (casts.proxies, "10.0.0.1/8"),
    "proxies with none between the commas": (casts.proxies, "10.0.0.0/8,,::1"),
    "another store": (casts.redis_url, "http://localhost"),
    "a store nowhere": (casts.redis_url, "redis://"),
    "a store at no port": (casts.redis_url, "redis://localhost:70000"),
    "a store at port 0": (casts.redis_url, "redis://localhost:0"),
    "a database with a name": (casts.redis_url, "redis://localhost/main"),
    "a store with time-outs of its own": (casts.redis_url, "redis://localhost?socket_timeout=9"),
    "a store that need not prove itself": (casts.redis_url, "rediss://a?ssl_cert_reqs=none"),
}


@pytest.mark.parametrize(("cast", "text", "value"), ALLOWED.values(), ids=ALLOWED)
def test_what_is_allowed_becomes_a_value(
    cast: Callable[[str], Any], text: str, value: object
) -> None:
    assert cast(text) == value


@pytest.mark.parametrize(("cast", "text"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_allowed_is_a_value_error(cast: Callable[[str], Any], text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - its text is not shown to anybody
        cast(text)
