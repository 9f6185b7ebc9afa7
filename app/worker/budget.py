"""How many bytes of requests a worker holds, over all its connections."""

SMALL_BYTES = 1 << 16
"""A request of no more than this is never refused for its size: the connections are limited."""


class Budget:
    """Bytes that are held and the most that may be.

    Args:
        most: bytes.
    """

    __slots__ = ("_most", "held")

    def __init__(self, most: int) -> None:
        self._most = most
        self.held = 0

    def has_room(self, size: int) -> bool:
        """Whether a request of so many bytes is to be taken in."""
        return size <= SMALL_BYTES or self.held + size <= self._most

    @property
    def is_exceeded(self) -> bool:
        """Whether more is held than may be."""
        return self.held > self._most
