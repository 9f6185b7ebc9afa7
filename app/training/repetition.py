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

    That is the current one, if it can be used, or the newest, if it is a candidate that was judged
    against the current one on the same terms, and whole: then its reason comes with it.
    """
    champion = find(reader, options.name)
    if champion is None or champion.version is None or champion.problem is not None:
        return None
    wanted = asked(dataset, options)
    if champion.description is not None and _holds(champion.description.training, wanted):
        return champion.version, None
    newest = max(reader.versions(options.name), default=champion.version)
    found = _description(reader, options.name, newest)
    if found is None or not _holds(found.training, wanted):
        return None
    terms = options.terms.to_json() | {"champion": champion.version, "decision": "candidate"}
    if found.promotion is None or not _holds(found.promotion, terms):
        return None
    return newest, str(found.promotion["reason"])


def _description(reader: Reader, name: str, version: int) -> Description | None:
    try:
        return reader.open(name, version).manifest.description
    except (BrokenModel, UnknownModel):
        return None


def _holds(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(found.get(key) == value for key, value in wanted.items())
