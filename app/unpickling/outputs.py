"""Parts that make room for what they put out before they fill it: no more than they do fill.

What is left over is whatever lay in that memory, such as a row of somebody else.
"""

from math import comb
from typing import Any

from app.unpickling.conditions import must


def check_polynomial(made: Any) -> None:
    """Raise ValueError, or what else comes of it, for more columns than there are products."""
    kept = vars(made)
    if "_n_out_full" not in kept:
        return
    count, degree, columns = kept["n_features_in_"], kept["_max_degree"], kept["_n_out_full"]
    found = 1 if kept["include_bias"] else 0
    if kept["interaction_only"]:
        for factors in range(1, min(degree, count) + 1):
            found += comb(count, factors)
            must(found <= columns)
    else:
        must(degree <= columns)  # before the sum is counted, which could take long
        found += comb(count + degree, degree) - 1
    must(found == columns)


def check_target(encoder: Any) -> None:
    """The same for columns that have no encoding."""
    kept = vars(encoder)
    if "encodings_" in kept:
        classes = len(kept["classes_"]) if kept["target_type_"] == "multiclass" else 1
        must(len(kept["encodings_"]) == kept["n_features_in_"] * classes)
