"""The highest pointer of each model that a service has accepted: it never goes back below it.

All processes of a service share what they remember. Without a folder it lasts as long as the
service; with one, as long as the folder, which must not be writable by who writes to the models.
"""

from app.config import Config
from app.errors import BrokenModel
from app.files import reason
from app.registry.places import Kept, Place, in_memory
from app.store import Pointer


class Accepted:
    """What was accepted. Without a place it remembers nothing and allows everything."""

    def __init__(self, place: Place | None = None) -> None:
        self._place = place
        self._seen: dict[str, Pointer] = {}

    @classmethod
    def of(cls, config: Config) -> "Accepted":
        """As the settings say: nothing is remembered where nothing has to be signed."""
        if not config.require_signature:
            return cls()
        return cls(Kept(config.state) if config.state else in_memory())

    def highest(self, name: str) -> Pointer | None:
        """The pointer with the highest sequence so far. Raises BrokenModel if it is not known."""
        try:
            data = self._place.read(name) if self._place else None
            found = Pointer.from_bytes(data) if data else None
        except (OSError, BrokenModel) as error:
            why = reason(error) if isinstance(error, OSError) else "it is damaged"
            raise BrokenModel(
                f"what was accepted before cannot be read: {why}; see to ORDINATE_STATE"
            ) from error
        seen = self._seen.get(name)  # also when somebody has emptied the place
        return max((each for each in (seen, found) if each), key=_sequence, default=None)

    def check(self, name: str, pointer: Pointer) -> None:
        """Raise BrokenModel for a pointer that is older than one that was accepted."""
        highest = self.highest(name) if self._place else None
        if highest is None or highest == pointer or _sequence(pointer) > _sequence(highest):
            return
        raise BrokenModel(
            f"its current file was put back: its sequence is {_sequence(pointer)}, and version "
            f"{highest.version} with the sequence {_sequence(highest)} was accepted before"
        )

    def accept(self, name: str, pointer: Pointer) -> None:
        """Remember a pointer whose version is about to be served.

        Raises:
            BrokenModel: it cannot be remembered, or another process has accepted a later one.
        """
        if self._place is None:
            return
        try:
            with self._place.alone():
                self.check(name, pointer)
                if self.highest(name) != pointer or self._place.read(name) is None:
                    self._place.write(name, pointer.to_bytes())
        except OSError as error:
            raise BrokenModel(
                f"it cannot be remembered as accepted: {reason(error)}; see to ORDINATE_STATE"
            ) from error
        self._seen[name] = pointer


def _sequence(pointer: Pointer) -> int:
    return pointer.sequence or 0
