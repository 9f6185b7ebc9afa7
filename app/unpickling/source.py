"""The bytes of a file, taken from its front."""

from app.errors import BrokenModel

MAX_LINE = 1024


class Source:
    """Bytes that are read once, by however many readers, and never beyond their end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        """Bytes that were not taken yet."""
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        """The next bytes. Raises BrokenModel when there are fewer."""
        return bytes(self.view(count))

    def view(self, count: int) -> memoryview:
        """The next bytes, not copied."""
        if count > self.left:
            raise BrokenModel("it ends too early")
        self._at += count
        return memoryview(self._data)[self._at - count : self._at]

    def line(self) -> str:
        """Text up to the next end of a line."""
        end = self._data.find(b"\n", self._at, self._at + MAX_LINE)
        if end < 0:
            raise BrokenModel("it is damaged")
        return self.take(end + 1 - self._at)[:-1].decode("ascii", "backslashreplace")
