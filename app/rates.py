"""How much is allowed in which time, as settings say it."""

import re
from dataclasses import dataclass, field

PERIODS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}

ALLOWED = (
    "COUNT/PERIOD or COUNT/PERIOD:BURST with second, minute, hour or day, such as 100/second:200, "
    "at most 1000000 a second and 30 days' or 1000000000 at once"
)
"""What `rate` takes."""

MOST_A_SECOND = 1_000_000
MOST_SECONDS = 30 * 86400
MOST_AT_ONCE = 1_000_000_000

_RATE = re.compile(r"([1-9][0-9]{0,11})/(second|minute|hour|day)(?::([1-9][0-9]{0,11}))?", re.ASCII)
# Of a key, in which there may be blanks, or of who shows a token.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._@-]{0,61}[A-Za-z0-9._@-]|[^\s,=]{1,100}")


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate, and how much of it may come at once: a token bucket.

    Attributes:
        count: how many are allowed in a period.
        period: in seconds.
        burst: how many may come at once, after a time without any.
    """

    count: int
    period: int
    burst: int

    @property
    def parts(self) -> int:
        """In how many units of time the time for one is divided.

        A unit takes a microsecond or longer, so that a clock of 47 bits lasts for years, and the
        time for one is a whole number of units, so that nothing is ever rounded.
        """
        return max(1, min(1000, self.period * 1_000_000 // self.count))

    @property
    def units(self) -> int:
        """How many units of time a period has."""
        return self.count * self.parts

    def seconds(self, units: int) -> int:
        """So many units as whole seconds, rounded up."""
        return -(-units * self.period // self.units)

    @property
    def window(self) -> int:
        """Whole seconds in which as many as come at once are allowed anew."""
        return self.seconds(self.burst * self.parts)

    def __str__(self) -> str:
        period = next(name for name, seconds in PERIODS.items() if seconds == self.period)
        return f"{self.count}/{period}:{self.burst}"


@dataclass(frozen=True, slots=True)
class Rates:
    """A rate for everybody, and others for some.

    Attributes:
        default: for who is not named; None for no limit.
        named: for who is; None for no limit.
    """

    default: Rate | None = None
    named: dict[str, Rate | None] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.default is not None or any(self.named.values())

    def __str__(self) -> str:
        parts = [] if self.default is None else [str(self.default)]
        parts += [f"{name}={'none' if own is None else own}" for name, own in self.named.items()]
        return ",".join(parts)

    def of(self, name: str) -> Rate | None:
        """What holds for this one."""
        return self.named.get(name, self.default)


def rate(text: str) -> Rate:
    """``COUNT/PERIOD[:BURST]``; without a burst, the count may come at once."""
    found = _RATE.fullmatch(text)
    if found is None:
        raise ValueError(text)
    count, period = int(found[1]), PERIODS[found[2]]
    made = Rate(count, period, int(found[3] or count))
    too_much = count > MOST_A_SECOND * period or made.burst > MOST_AT_ONCE
    if too_much or made.window > MOST_SECONDS:
        raise ValueError(text)
    return made


def rate_or_none(text: str) -> Rate | None:
    """The same, or ``none``."""
    return None if text == "none" else rate(text)


def rates(text: str) -> Rates:
    """A rate for all, and after a comma each ``NAME=RATE`` or ``NAME=none``; either is optional."""
    default, named = None, {}
    for number, part in enumerate(text.split(",") if text else ()):
        name, equals, value = part.strip().rpartition("=")
        if not equals and number == 0:
            default = rate(value)
        elif not _NAME.fullmatch(name) or name in named:
            raise ValueError(text)
        else:
            named[name] = rate_or_none(value)
    return Rates(default, named)
