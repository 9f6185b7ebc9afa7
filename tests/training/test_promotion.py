"""The rule by which a challenger is promoted, and what is written down of it."""

from dataclasses import replace
from typing import Any

import numpy as np
import orjson
import pytest
from sklearn.linear_model import LinearRegression

from app.training.champion import Champion
from app.training.comparison import Comparison, Form, Task
from app.training.contest import Contest
from app.training.promotion import ALPHA, Rule, Terms, decide, record
from tests.support.models import PLAIN, described, fitted

TASK = Task(np.zeros((442, 3)), np.zeros(442), np.arange(442), LinearRegression(), 10, 10, 3)
NOT_WORSE = Terms("not-worse", 0.05)
RULES: list[Rule] = ["not-worse", "better", "always", "never"]


def counted(rows: int, different: int | None = None, worth: int | None = None) -> dict[str, int]:
    """Rows as a data set counts them."""
    return {
        "rows": rows,
        "different_rows": rows if different is None else different,
        "effective_rows": rows if worth is None else worth,
    }


def champion(rows: int = 442, **changes: Any) -> Champion:
    description = replace(described(PLAIN, fitted(PLAIN)), training={"rows": rows})
    return Champion(3, description, **changes)


def compared(ratio: float, spread: float = 0.01, form: Form = "refitted") -> Comparison:
    """A challenger whose errors are those of the champion times a ratio that varies a little."""
    draw = np.random.default_rng(0)
    errors = draw.uniform(50, 58, 100)
    ratios = ratio + spread * np.resize([-1.0, 1.0], 100)
    return Comparison(form, 442, 442, errors * ratios, errors, 0.1)


def held(*comparisons: Comparison, **changes: Any) -> Contest:
    told = {comparison.form for comparison in comparisons}
    forms: tuple[Form, ...] = ("refitted", "as is")
    untold = {form: f"no {form}" for form in forms if form not in told}
    return replace(Contest(champion(), TASK, (), comparisons, untold), **changes)


@pytest.mark.parametrize("rule", RULES)
def test_the_first_version_is_always_promoted(rule: Rule) -> None:
    decision = decide(Terms(rule, 0.05), None, counted(442))

    assert (decision.promoted, decision.reason) == (True, "no version of it was current")


@pytest.mark.parametrize(
    ("ratio", "promoted"), [(0.9, True), (1.0, True), (1.02, True), (1.05, False), (1.2, False)]
)
def test_a_challenger_is_promoted_when_it_is_shown_not_to_be_worse_by_the_margin(
    ratio: float, promoted: bool
) -> None:
    decision = decide(NOT_WORSE, held(compared(ratio)), counted(442))

    assert decision.promoted == promoted
    assert "version 3" in decision.reason
    assert "5% or more (p" in decision.reason


def test_what_is_too_noisy_to_tell_is_not_proven() -> None:
    assert not decide(NOT_WORSE, held(compared(1.0, spread=0.5)), counted(442)).promoted


def test_a_wider_margin_takes_what_a_narrow_one_does_not() -> None:
    contest = held(compared(1.07))

    assert not decide(Terms("not-worse", 0.05), contest, counted(442)).promoted
    assert decide(Terms("not-worse", 0.125), contest, counted(442)).reason.startswith(
        "it is not worse than version 3 by 12.5% or more"
    )


@pytest.mark.parametrize(("refitted", "as_is"), [(1.0, 1.2), (1.2, 1.0)])
def test_it_must_stand_against_each_form_of_the_champion(refitted: float, as_is: float) -> None:
    worst = "as is" if as_is > refitted else "refitted"

    decision = decide(
        NOT_WORSE, held(compared(refitted), compared(as_is, form="as is")), counted(442)
    )

    assert not decision.promoted
    assert f"may be worse than version 3 {worst} by 5%" in decision.reason


@pytest.mark.parametrize(
    ("refitted", "as_is", "promoted"),
    [(0.9, None, True), (1.0, None, False), (1.0, 0.9, True), (0.9, 1.0, False), (1.2, 0.9, False)],
)
def test_better_means_better_than_what_is_served_and_not_worse_than_its_recipe(
    refitted: float, as_is: float | None, promoted: bool
) -> None:
    comparisons = [compared(refitted), *([compared(as_is, form="as is")] if as_is else [])]

    decision = decide(Terms("better", 0.05), held(*comparisons), counted(442))

    assert decision.promoted == promoted


def test_the_same_scores_in_every_fold_are_not_better() -> None:
    decision = decide(Terms("better", 0.05), held(compared(1.0, spread=0.0)), counted(442))

    assert not decision.promoted
    assert decision.reason == "it is not shown to be better than version 3 refitted (p = 1.000)"


@pytest.mark.parametrize(("rule", "promoted"), [("always", True), ("never", False)])
def test_always_and_never_leave_nothing_to_the_figures(rule: Rule, promoted: bool) -> None:
    for contest in (held(compared(0.5)), held(compared(2.0), breaks=("it breaks",)), held()):
        decision = decide(Terms(rule, 0.05), contest, counted(442))

        assert (decision.promoted, decision.reason) == (promoted, f"as asked by --promote {rule}")


@pytest.mark.parametrize("rule", ["not-worse", "better"])
def test_what_breaks_requests_is_not_promoted_however_good_it_is(rule: Rule) -> None:
    contest = held(compared(0.5), breaks=("feature 'a' is dropped: ...", "feature 'b' is added"))

    decision = decide(Terms(rule, 0.05), contest, counted(442))

    assert not decision.promoted
    assert decision.reason == (
        "it breaks requests that version 3 takes: feature 'a' is dropped: ..., and 1 more"
    )


def test_what_cannot_be_compared_is_not_proven() -> None:
    decision = decide(NOT_WORSE, held(), counted(442))

    assert not decision.promoted
    assert decision.reason == "it cannot be compared with version 3: no refitted"


@pytest.mark.parametrize("rule", ["not-worse", "better"])
def test_a_champion_that_cannot_be_used_does_not_stand_in_the_way(rule: Rule) -> None:
    contest = held(champion=Champion(3, problem="its model.joblib is damaged"))

    decision = decide(Terms(rule, 0.05), contest, counted(442))

    assert decision.promoted
    assert decision.reason == "version 3 cannot be used: its model.joblib is damaged"


def test_a_recipe_is_judged_by_refitting_where_only_its_model_cannot_be_used() -> None:
    broken = champion(problem="it was trained with scikit-learn 0.1")

    assert decide(NOT_WORSE, held(compared(1.0), champion=broken), counted(442)).promoted
    assert not decide(NOT_WORSE, held(compared(1.2), champion=broken), counted(442)).promoted


@pytest.mark.parametrize(("rows", "promoted"), [(50, False), (397, False), (398, True)])
def test_a_good_recipe_on_far_fewer_rows_proves_nothing_of_its_model(
    rows: int, promoted: bool
) -> None:
    alone = decide(NOT_WORSE, held(compared(1.0)), counted(rows))
    as_is = decide(NOT_WORSE, held(compared(1.0), compared(1.0, form="as is")), counted(rows))

    assert alone.promoted == promoted
    assert promoted or f"trained on {rows} rows and version 3 on 442" in alone.reason
    assert as_is.promoted


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (counted(900, 180, 90), None),
        (counted(899, 200, 100), "899 rows and version 3 on 1000"),
        (counted(1000, 179, 100), "179 different rows and version 3 on 200"),
        (counted(1000, 200, 89), "what is worth 89 rows and version 3 on 100"),
    ],
)
def test_rows_must_be_nearly_as_many_however_they_are_counted(
    rows: dict[str, int], said: str | None
) -> None:
    """A long table can be few rows again and again, and a short one be worth as many as a long."""
    description = replace(described(PLAIN, fitted(PLAIN)), training=counted(1000, 200, 100))

    decision = decide(NOT_WORSE, held(compared(1.0), champion=Champion(3, description)), rows)

    assert decision.promoted == (said is None)
    assert said is None or f"it was trained on {said}, and they cannot" in decision.reason


def test_a_champion_that_does_not_say_how_many_differ_is_compared_by_its_rows() -> None:
    assert decide(NOT_WORSE, held(compared(1.0)), counted(442, 44, 44)).promoted


def test_the_record_holds_every_number_of_the_decision_and_is_json() -> None:
    comparison = compared(1.02)
    contest = held(comparison)

    found = record(NOT_WORSE, contest, decide(NOT_WORSE, contest, counted(442)))

    (noted,) = found.pop("comparisons")
    test = comparison.excess(0.05)
    assert orjson.loads(orjson.dumps(found)) == {
        "champion": 3,
        "rule": "not-worse",
        "margin": 0.05,
        "alpha": ALPHA,
        "decision": "promoted",
        "reason": decide(NOT_WORSE, contest, counted(442)).reason,
        "schema_changes": [],
        "measure": "rmse",
        "folds": 10,
        "repeats": 10,
        "seed": 3,
        "not_compared": {"as is": "no as is"},
    }
    assert noted["not_worse"] == {
        "difference": test.mean,
        "standard_error": test.standard_error,
        "df": 99,
        "t": test.t,
        "p": test.p,
    }
    assert noted["better"]["difference"] == pytest.approx(
        noted["challenger_rmse"] - noted["champion_rmse"]
    )
    assert (noted["champion"], noted["rows"]) == ("refitted", 442)


def test_the_record_of_a_first_version_says_that_there_was_no_champion() -> None:
    assert record(NOT_WORSE, None, decide(NOT_WORSE, None, counted(442))) == {
        "champion": None,
        "rule": "not-worse",
        "margin": 0.05,
        "alpha": ALPHA,
        "decision": "promoted",
        "reason": "no version of it was current",
    }
