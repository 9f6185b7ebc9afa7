"""The champion: the version that is current, and whose place a challenger would take."""

from dataclasses import dataclass

from app.errors import BrokenModel, UnknownModel
from app.manifest import Description
from app.model import Model, load_model
from app.store import Reader
from app.training.rows import ROWS_FILE


@dataclass(frozen=True, slots=True)
class Champion:
    """What can be told of the current version.

    Attributes:
        version: its number; None where the file that holds it is damaged.
        description: of its manifest; None where any byte of the version is not as published.
        model: ready to predict; None where it cannot be loaded or proven here.
        rows: its ``rows.bin``; None where it has none, as before there was this file.
        problem: why it has no description or no model, one sentence.
    """

    version: int | None
    description: Description | None = None
    model: Model | None = None
    rows: bytes | None = None
    problem: str | None = None

    @property
    def label(self) -> str:
        """How it is called in sentences."""
        return "the current version" if self.version is None else f"version {self.version}"


def find(reader: Reader, name: str) -> Champion | None:
    """The champion of a name; None where no version of it is current. Never raises for a model."""
    try:
        pointer = reader.current(name)
    except UnknownModel:
        return None
    except BrokenModel as error:
        return Champion(None, problem=error.message)
    version = pointer.version
    try:
        opened = reader.open(name, version)
    except (BrokenModel, UnknownModel) as error:
        return Champion(version, problem=error.message)
    if opened.manifest_sha256 != pointer.manifest_sha256:
        return Champion(version, problem="its manifest is not the one that was made current")
    description, rows = opened.manifest.description, opened.files.get(ROWS_FILE)
    try:
        model = load_model(reader, name, version)
    except (BrokenModel, UnknownModel) as error:
        return Champion(version, description, rows=rows, problem=error.message)
    return Champion(version, description, model, rows)
