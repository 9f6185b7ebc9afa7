"""Large bodies that have to wait: not here, but with the clients that send them."""

from asyncio import AbstractEventLoop
from collections.abc import Callable
from typing import Protocol

from app.worker.expected import ExpectedBodies
from app.worker.looking import Lookout

AHEAD = 32
"""Large bodies that may be here or on their way, at least, before the next one is read."""

SOON_SECONDS = 0.02
"""A body that takes longer has a slow client, and nobody waits for that. As often it is looked who
may be let in."""

_NEWEST = 0.1
"""Share of the newest of the measurements that are averaged."""


class Guest(Protocol):
    """A client that has sent the head of a request, and whose body is not read for now."""

    def let_in(self) -> None:
        """Read on: a thread will soon have time for it."""

    def turn_away(self) -> None:
        """Refuse its request: the time has not come, and will not soon."""


class Line:
    """Clients with a large body each, in the order in which they came.

    What no thread will come to for a while need not be in memory, and taking it in takes time from
    those before it. TCP has the client keep it until then.

    Args:
        loop: of this worker.
        ahead: large bodies that may be here or on their way before anybody has to wait.
        is_full: whether a request that came now would wait for a thread too long, given how many
            are on their way.
        most: seconds that anybody may have to wait, by what the last ones have waited.
        waited: told for how many seconds each has stood here.
    """

    def __init__(
        self,
        loop: AbstractEventLoop,
        ahead: int,
        is_full: Callable[[int], bool],
        most: float,
        waited: Callable[[float], None],
    ) -> None:
        self._loop, self._ahead, self._is_full = loop, ahead, is_full
        self._most, self._waited = most, waited
        self._guests: dict[Guest, tuple[float, int]] = {}  # since when, and as the how manieth
        self._expected = ExpectedBodies(loop)
        self._inside = 0  # bodies that are here and not answered
        self._pace = 0.0  # seconds from one who is let in to the next
        self._lookout = Lookout(loop, self._look, SOON_SECONDS)

    def __len__(self) -> int:
        """How many stand here."""
        return len(self._guests)

    @property
    def expected(self) -> int:
        """How many were let in, and are not here."""
        return self._expected.count()

    @property
    def is_long(self) -> bool:
        """Whether who comes now would have to wait for too long, or the first has done so."""
        if not self._guests:
            return False
        first, _ = next(iter(self._guests.values()))
        longest = max(len(self._guests) * self._pace, self._loop.time() - first)
        return longest > self._most

    def enters(self, guest: Guest) -> bool:
        """Take in a client: whether it is to be read from at once, else it will be let in later."""
        if not self._guests and self._has_room():
            self._expected.add()
            return True
        self._guests[guest] = self._loop.time(), len(self._guests) + 1
        self._lookout.begin()
        return False

    def leave(self, guest: Guest) -> None:
        """Forget a client, if it stands here."""
        self._guests.pop(guest, None)

    def arrived(self) -> None:
        """A large body is here, whether it was expected or not."""
        self._expected.arrived()
        self._inside += 1

    def answered(self) -> None:
        """One of those is answered."""
        self._inside -= 1

    def advance(self) -> None:
        """Let in as many as there is room for."""
        while self._guests and self._has_room():
            guest = next(iter(self._guests))
            since, place = self._guests.pop(guest)
            waited = self._loop.time() - since
            self._pace += _NEWEST * (waited / place - self._pace)
            self._waited(waited)
            self._expected.add()
            guest.let_in()

    def check(self) -> None:
        """Turn away those who have waited for twice as long as anybody was to wait."""
        begun = self._loop.time() - 2 * self._most
        self._turn_away([each for each, (since, _) in self._guests.items() if since < begun])

    def close(self) -> None:
        """Turn all away."""
        self._turn_away(list(self._guests))

    def _turn_away(self, guests: list[Guest]) -> None:
        for guest in guests:
            del self._guests[guest]
            guest.turn_away()

    def _has_room(self) -> bool:
        soon = self._expected.count(SOON_SECONDS)
        return self._inside + soon < self._ahead and not self._is_full(soon)

    def _look(self) -> bool:
        """See whether somebody inside is slow, so that others need not wait; whether any do."""
        self.advance()
        return bool(self._guests)
