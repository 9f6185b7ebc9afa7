"""Whether a training would only repeat one that was published."""

from collections.abc import Mapping
from typing import Any

from app.errors import BrokenModel, UnknownModel
from app.manifest import Description
from app.store import Reader
from app.training.champion import find
from app.training.dataset import Dataset
from app.training.options import Options


def asked(dataset: Dataset, options: Options) -> dict[str, Any]:
    """All that a model depends on, as the manifest keeps it among the facts of its training."""
    return {
        "sha256": dataset.sha256,
        "target": dataset.schema.target.name,
        "drop": sorted(options.drop),
        "keep": sorted(options.keep),
        "folds": options.folds,
        "seed": options.seed,
    }


def repetition(reader: Reader, dataset: Dataset, options: Options) -> tuple[int, str | None] | None:
    """The version that was made of the same data with the same options; None if there is none.

    That is the current one, if it can be used; or one that was current after it and was left for it
    by hand; or the newest, if it is a candidate that was judged against the current one on the same
    terms. All must be whole. With the latter two comes what they are, half a sentence.
    """
    champion = find(reader, options.name)
    if champion is None or champion.version is None or champion.problem is not None:
        return None
    wanted = asked(dataset, options)
    if champion.description is not None and _holds(champion.description.training, wanted):
        return champion.version, None
    terms = options.terms.to_json() | {"champion": champion.version, "decision": "candidate"}
    newer = [each for each in reader.versions(options.name) if each > champion.version]
    for version in sorted(newer, reverse=True):
        found = _description(reader, options.name, version)
        if found is None or not _holds(found.training, wanted):
            continue
        if not found.is_candidate:
            return version, f"and was left for {champion.label}: activate it if it is to answer"
        if version == newer[-1] and _holds(found.promotion or {}, terms):
            return version, f"and is a candidate: {(found.promotion or {})['reason']}"
    return None


def _description(reader: Reader, name: str, version: int) -> Description | None:
    try:
        return reader.open(name, version).manifest.description
    except (BrokenModel, UnknownModel):
        return None


def _holds(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(found.get(key) == value for key, value in wanted.items())
