"""Encoders that make a sparse matrix by places: those come from what they were fitted to."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from app.unpickling.conditions import array, must, within

_NUMBERS = int | float | np.integer | np.floating | np.bool_


def check_one_hot(encoder: Any) -> None:
    """Raise ValueError, or what else comes of it, where a category has a place beyond the last."""
    kept = vars(encoder)
    if "_n_features_outs" not in kept:
        return
    count, dropped = kept["n_features_in_"], kept["_drop_idx_after_grouping"]
    must(len(kept["categories_"]) == count)
    places = [_places(kept, column) for column in range(count)]
    if dropped is not None:
        for column, place in enumerate(array(dropped, count)):
            if place is not None:
                must(isinstance(place, int | np.integer) and 0 <= place < places[column])
                places[column] -= 1
    must(type(kept["_n_features_outs"]) is list and kept["_n_features_outs"] == places)


def _places(kept: Mapping[str, Any], column: int) -> int:
    """How many places the categories of a column have, before one is dropped."""
    categories = array(kept["categories_"][column], None)
    _check_order(categories)
    if not kept["_infrequent_enabled"]:
        return len(categories)
    rare, grouped = (
        kept[name][column] for name in ("_infrequent_indices", "_default_to_infrequent_mappings")
    )
    if rare is None:
        must(grouped is None)
        return len(categories)
    within(array(grouped, len(categories)), 0, len(categories))
    within(array(rare, None), 0, len(categories))
    return int(grouped.max()) + 1


def _check_order(categories: Any) -> None:
    """Numbers are looked for by halving; in disorder the place found may be one too many."""
    if categories.dtype.hasobject:
        must(all(isinstance(each, _NUMBERS | str | bytes | None) for each in categories))
        categories = np.array([each for each in categories if isinstance(each, _NUMBERS)], float)
    must(np.array_equal(np.sort(categories), categories, equal_nan=categories.dtype.kind == "f"))


def check_labels(binarizer: Any) -> None:
    """The same for labels with their places."""
    places = vars(binarizer).get("_cached_dict")
    if places is not None:
        must(type(places) is dict and all(type(each) is int for each in places.values()))
        within(np.array([*places.values()], float), 0, len(places))
