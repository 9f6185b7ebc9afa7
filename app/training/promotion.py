"""Whether a challenger becomes current: the rule, the decision, and the record of it.

What is controlled, and how: a challenger whose expected error on new rows is truly 1 + margin times
the champion's, or more, is promoted with a probability of at most `ALPHA`. Where both forms of the
champion can be compared, the challenger must pass in each of them, which keeps that probability
(Berger 1982, Multiparameter Hypothesis Testing and Acceptance Sampling, Technometrics 24, 295-300):
whoever is worse than either form must get through the test against that one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from app.training.comparison import Comparison
from app.training.contest import Contest

Rule = Literal["not-worse", "better", "always", "never"]

RULES: tuple[str, ...] = get_args(Rule)

ALPHA = 0.05
"""Level of the one-sided tests."""

ENOUGH_ROWS = 0.9
"""A recipe that is as good makes a model that is as good if it gets as many rows. A challenger that
cannot be compared with the published champion needs this part of the champion's, however they are
counted: a table can be long, and be the same few rows again and again."""

_COUNTS = {
    "rows": "{} rows",
    "different_rows": "{} different rows",
    "effective_rows": "what is worth {} rows",
}


@dataclass(frozen=True, slots=True)
class Terms:
    """What was asked for: the rule, and the margin as a fraction of the champion's error."""

    rule: Rule
    margin: float

    def to_json(self) -> dict[str, Any]:
        """As it stands in a manifest."""
        return {"rule": self.rule, "margin": self.margin, "alpha": ALPHA}


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether to promote, and why, in half a sentence."""

    promoted: bool
    reason: str


def decide(terms: Terms, contest: Contest | None, rows: Mapping[str, int]) -> Decision:
    """Decide on a challenger that was trained on so many rows, as `Dataset.counted` counts them.

    There is no contest without a champion.
    """
    if contest is None:
        return Decision(True, "no version of it was current")
    if terms.rule in ("always", "never"):
        return Decision(terms.rule == "always", f"as asked by --promote {terms.rule}")
    champion = contest.champion
    if contest.breaks:
        more = f", and {len(contest.breaks) - 1} more" if contest.breaks[1:] else ""
        return Decision(
            False, f"it breaks requests that {champion.label} takes: {contest.breaks[0]}{more}"
        )
    if not contest.comparisons:
        return _uncompared(contest)
    if (fewer := _too_few(contest, rows)) is not None:
        return Decision(False, fewer)
    return _tested(terms, contest)


def _uncompared(contest: Contest) -> Decision:
    """What cannot answer does not stand in the way of what can."""
    champion = contest.champion
    if champion.problem is not None:
        return Decision(True, f"{champion.label} cannot be used: {champion.problem}")
    return Decision(
        False, f"it cannot be compared with {champion.label}: {contest.untold['refitted']}"
    )


def _too_few(contest: Contest, rows: Mapping[str, int]) -> str | None:
    """Why a comparison of recipes does not speak for the models, None if it does."""
    champion = contest.champion
    training = champion.description.training if champion.description else {}
    if "as is" not in contest.untold:
        return None
    for count, said in _COUNTS.items():  # older champions have the first alone
        if (now := rows[count]) < ENOUGH_ROWS * (before := training.get(count, 0)):
            return (
                f"it was trained on {said.format(now)} and {champion.label} on {before}, and they "
                f"cannot be compared as they are: {contest.untold['as is']}"
            )
    return None


def _tested(terms: Terms, contest: Contest) -> Decision:
    label = contest.champion.label
    worst = max(contest.comparisons, key=lambda each: each.excess(terms.margin).p)
    p = worst.excess(terms.margin).p
    by = f"{percent(terms.margin)} or more ({p_shown(p)})"
    if p >= ALPHA:
        return Decision(False, f"it may be worse than {label} {worst.form} by {by}")
    if terms.rule == "not-worse":
        return Decision(True, f"it is not worse than {label} by {by}")
    # The last form is the one that is served, where it can be compared.
    served = contest.comparisons[-1]
    p = served.excess(0).p
    than = f"better than {label} {served.form} ({p_shown(p)})"
    return Decision(p < ALPHA, f"it is {than}" if p < ALPHA else f"it is not shown to be {than}")


def percent(fraction: float) -> str:
    """A margin for the reader."""
    return f"{100 * fraction:.4g}%"


def p_shown(p: float) -> str:
    """A probability for the reader."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def record(terms: Terms, contest: Contest | None, decision: Decision) -> dict[str, Any]:
    """All of it, as it stands in a manifest."""
    found: dict[str, Any] = {
        "champion": None if contest is None else contest.champion.version,
        **terms.to_json(),
        "decision": "promoted" if decision.promoted else "candidate",
        "reason": decision.reason,
    }
    if contest is None:
        return found
    task = contest.task
    return found | {
        "schema_changes": list(contest.breaks),
        "measure": "rmse",
        "folds": task.folds,
        "repeats": task.repeats,
        "seed": task.seed,
        "comparisons": [_comparison(each, terms.margin) for each in contest.comparisons],
        "not_compared": dict(contest.untold),
    }


def _comparison(comparison: Comparison, margin: float) -> dict[str, Any]:
    challenger, champion = comparison.challenger.mean(), comparison.champion.mean()
    return {
        "champion": comparison.form,
        "rows": comparison.rows,
        "challenger_rmse": float(challenger),
        "champion_rmse": float(champion),
        "not_worse": _test(comparison, margin),
        "better": _test(comparison, 0.0),
    }


def _test(comparison: Comparison, margin: float) -> dict[str, Any]:
    test = comparison.excess(margin)
    return {
        "difference": test.mean,
        "standard_error": test.standard_error,
        "df": test.df,
        "t": test.t,
        "p": test.p,
    }
