"""What of a champion's requests a challenger would no longer take, and what breaks nothing."""

from dataclasses import replace

import pytest

from app.schema import Feature, Schema, Target
from app.training.compatibility import breaks

AGE = Feature("age", "number", 18.0, 90.0, missing=True)
FUEL = Feature("fuel", "category", categories=("diesel", "petrol"))
NEW = Feature("new", "boolean")
PRICE = Target("price", 0.0, 1.0, "EUR")
BEFORE = Schema((AGE, FUEL, NEW), PRICE)


@pytest.mark.parametrize(
    ("after", "said"),
    [
        pytest.param(
            Schema((AGE, FUEL), PRICE),
            "feature 'new' is dropped: requests that have it will be refused",
            id="dropped",
        ),
        pytest.param(
            Schema((*BEFORE.features, Feature("doors", "number", 2.0, 5.0)), PRICE),
            "feature 'doors' is added: requests without it will be refused",
            id="added",
        ),
        pytest.param(
            Schema((AGE, Feature("fuel", "number", 0.0, 1.0), NEW), PRICE),
            "feature 'fuel' is retyped, a number and was a category: requests with its old values "
            "will be refused",
            id="retyped",
        ),
        pytest.param(
            Schema((AGE, replace(FUEL, categories=("petrol",)), NEW), PRICE),
            "feature 'fuel' no longer knows 'diesel': requests with it will be refused",
            id="category gone",
        ),
        pytest.param(
            Schema((replace(AGE, missing=False), FUEL, NEW), PRICE),
            "feature 'age' is never missing any more: requests with null for it will be refused",
            id="null refused",
        ),
        pytest.param(
            Schema((replace(AGE, unit="s"), FUEL, NEW), PRICE),
            "feature 'age' is in s and was without a unit",
            id="other unit",
        ),
        pytest.param(
            Schema((FUEL, AGE, NEW), PRICE),
            "the features have another order: rows sent as lists will be misread",
            id="moved",
        ),
        pytest.param(
            Schema(BEFORE.features, Target("cost", 0.0, 1.0, "EUR")),
            "the target is 'cost' and was 'price': answers will mean something else",
            id="other target",
        ),
        pytest.param(
            Schema(BEFORE.features, replace(PRICE, unit=None)),
            "the target is without a unit and was in EUR",
            id="target in another unit",
        ),
    ],
)
def test_what_clients_do_now_and_cannot_do_then_is_told(after: Schema, said: str) -> None:
    assert breaks(BEFORE, after) == (said,)


def test_everything_that_breaks_is_told_at_once() -> None:
    after = Schema((FUEL, Feature("doors", "number", 2.0, 5.0)), PRICE)

    assert [said.split(":")[0] for said in breaks(BEFORE, after)] == [
        "feature 'age' is dropped",
        "feature 'new' is dropped",
        "feature 'doors' is added",
    ]


@pytest.mark.parametrize(
    "after",
    [
        pytest.param(BEFORE, id="nothing"),
        pytest.param(Schema((replace(AGE, maximum=120.0), FUEL, NEW), PRICE), id="wider range"),
        pytest.param(
            Schema((AGE, replace(FUEL, categories=("diesel", "gas", "petrol")), NEW), PRICE),
            id="a category more",
        ),
        pytest.param(Schema((AGE, replace(FUEL, missing=True), NEW), PRICE), id="null taken"),
        pytest.param(Schema(BEFORE.features, replace(PRICE, maximum=9.0)), id="wider target"),
    ],
)
def test_what_takes_as_much_or_more_breaks_nothing(after: Schema) -> None:
    assert breaks(BEFORE, after) == ()
