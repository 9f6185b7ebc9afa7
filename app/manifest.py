"""The manifest: the only seam between training and serving.

A manifest says all that is known of one published version, lists every other file of it with size
and SHA-256, and carries a SHA-256 of its own content, so that no byte of a version can change
without being noticed. The digest proves identity, not who wrote it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import orjson

from app.errors import BrokenModel
from app.schema import Schema

T = TypeVar("T")

FORMAT = 1
"""Raised whenever older code could misread what newer code writes."""

_WRITTEN = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE


@dataclass(frozen=True, slots=True)
class Digest:
    """SHA-256 (hex) and size in bytes of a file."""

    sha256: str
    size: int

    @classmethod
    def of(cls, data: bytes) -> "Digest":
        """The digest of these bytes."""
        return cls(hashlib.sha256(data).hexdigest(), len(data))


@dataclass(frozen=True, slots=True)
class Golden:
    """Rows in request form (n lists in schema order) with the n answers that are expected."""

    x: tuple[tuple[Any, ...], ...]
    y: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Description:
    """What training knows of a model, before it has a version.

    Attributes:
        schema: what it takes and gives.
        runtime: how its files become something that predicts, a name known to `app.runtimes`.
        estimator: class of the final estimator, for the reader.
        libraries: versions it was made with, by distribution name, and ``python``.
        training: source, rows, digest of the data, seed, folds, what was done to the columns.
        metrics: cross-validated figures with their spread, in the target's unit.
        golden: rows that must be answered alike wherever the model is loaded.
        linear: parameters of a linear model by feature, if it is one.
        promotion: how it was decided whether to make it current, with the numbers; None where
            nothing was decided, as in manifests from before there was such a decision.
    """

    schema: Schema
    runtime: str
    estimator: str
    libraries: Mapping[str, str]
    training: Mapping[str, Any]
    metrics: Mapping[str, Any]
    golden: Golden
    linear: Mapping[str, Any] | None = None
    promotion: Mapping[str, Any] | None = None

    @property
    def is_candidate(self) -> bool:
        """Whether it was published without being made current."""
        return self.promotion is not None and self.promotion.get("decision") == "candidate"


@dataclass(frozen=True, slots=True)
class Manifest:
    """One published version: its description, number, time (ISO 8601, UTC) and files."""

    name: str
    version: int
    created: str
    description: Description
    files: Mapping[str, Digest] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """The manifest as written to disk, sealed with its own digest."""
        made = self.description
        content: dict[str, Any] = {
            "format": FORMAT,
            "name": self.name,
            "version": self.version,
            "created": self.created,
            "schema": made.schema.to_json(),
            "runtime": made.runtime,
            "estimator": made.estimator,
            "libraries": dict(made.libraries),
            "training": dict(made.training),
            "metrics": dict(made.metrics),
            "golden": {"x": [list(row) for row in made.golden.x], "y": list(made.golden.y)},
            "linear": None if made.linear is None else dict(made.linear),
            "files": {
                name: {"sha256": digest.sha256, "size": digest.size}
                for name, digest in self.files.items()
            },
        }
        # Absent, not null: what was written before there was this key is written alike again.
        if made.promotion is not None:
            content["promotion"] = dict(made.promotion)
        return orjson.dumps(content | {"sha256": seal_of(content)}, option=_WRITTEN)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Manifest":
        """Read what `to_bytes` wrote.

        Raises:
            BrokenModel: a byte differs from what was written, or this code cannot read it.
        """
        try:
            content = _unsealed(data)
            found = cls(
                name=_as(str, content["name"]),
                version=_as(int, content["version"]),
                created=_as(str, content["created"]),
                description=_description(content),
                files={
                    name: Digest(_as(str, entry["sha256"]), _as(int, entry["size"]))
                    for name, entry in content["files"].items()
                },
            )
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise BrokenModel("its manifest cannot be read") from error
        if found.to_bytes() != data:  # of what is not known here, nothing may be ignored
            raise BrokenModel(
                "its manifest says more than this service knows: update Ordinate or train again"
            )
        return found


def _unsealed(data: bytes) -> dict[str, Any]:
    """The content of a manifest whose every byte is as it was written."""
    content = orjson.loads(data)
    seal = content.pop("sha256")
    # Compared byte for byte: what parses alike but is written otherwise was tampered with.
    written = orjson.dumps(content | {"sha256": seal}, option=_WRITTEN)
    if seal != seal_of(content) or written != data:
        raise BrokenModel("its manifest does not match its own digest")
    if content["format"] != FORMAT:
        raise BrokenModel(
            f"its manifest has format {content['format']}, this service reads {FORMAT}: "
            "update Ordinate or train again"
        )
    return _as(dict, content)


def seal_of(content: Mapping[str, Any]) -> str:
    """The SHA-256 of this content as JSON, by which a flipped bit is seen."""
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _description(content: Mapping[str, Any]) -> Description:
    linear, promotion = content["linear"], content.get("promotion")
    return Description(
        schema=Schema.from_json(content["schema"]),
        runtime=_as(str, content["runtime"]),
        estimator=_as(str, content["estimator"]),
        libraries={name: _as(str, found) for name, found in content["libraries"].items()},
        training=_as(dict, content["training"]),
        metrics=_as(dict, content["metrics"]),
        golden=_golden(content["golden"]),
        linear=None if linear is None else _as(dict, linear),
        promotion=None if promotion is None else _as(dict, promotion),
    )


def _golden(content: Mapping[str, Any]) -> Golden:
    rows = tuple(tuple(_as(list, row)) for row in content["x"])
    return Golden(rows, tuple(_as(float, answer) for answer in content["y"]))


def _as(kind: type[T], value: object) -> T:
    """The value itself, which must be of this kind. Raises TypeError."""
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TypeError(f"expected {kind.__name__}, got {type(value).__name__}")
    return value
