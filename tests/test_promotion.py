"""Training again under a name: what becomes current, what stays a candidate, and what is said."""

from pathlib import Path

import numpy as np
import pytest

from app.model import load_model
from app.store import Keeper
from tests.support.clients import client_of
from tests.training.retraining import Columns, Ran, Workshop, columns, joined, part

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"

TABLE = columns(400)
MORE = columns(200, seed=1)


@pytest.fixture
def trained(shop: Workshop) -> Workshop:
    """The same with version 1, trained on 400 rows."""
    assert shop.train(TABLE).code == 0
    return shop


def assert_candidate(shop: Workshop, ran: Ran, says: str, version: int = 2) -> None:
    """Exit code 3, one line that says why, version 1 still current, the way to change that."""
    assert (ran.code, ran.err.count("\n")) == (3, 1)
    assert ran.err.startswith(f"train.py: version {version} is not promoted: ")
    assert says in ran.err
    assert f"Published as version {version}, a candidate: " in ran.out
    assert "Version 1 stays current" in ran.out
    assert ran.out.splitlines()[-1].endswith(f"flask --app wsgi models activate t/{version}")
    assert (shop.versions[-1], shop.current) == (version, 1)
    assert shop.promotion(version)["decision"] == "candidate"
    assert says in shop.promotion(version)["reason"]


def without(table: Columns, name: str) -> Columns:
    return {column: values for column, values in table.items() if column != name}


# ---- what is as good is promoted


@pytest.mark.parametrize("rule", [(), ("--promote", "never")], ids=["not-worse", "never"])
def test_the_first_version_is_current_whatever_the_rule(
    shop: Workshop, rule: tuple[str, ...]
) -> None:
    ran = shop.train(TABLE, *rule)

    assert (ran.code, ran.err, shop.current) == (0, "", 1)
    assert "Compared" not in ran.out
    assert shop.promotion(1)["reason"] == "no version of it was current"
    assert shop.promotion(1)["champion"] is None


def test_the_same_data_again_are_as_good_and_promoted(trained: Workshop) -> None:
    ran = trained.train(TABLE)

    assert (ran.code, ran.err, trained.current) == (0, "", 2)
    assert "Compared with version 1 by RMSE on 10 x 10 folds" in ran.out
    assert "Promoted: it is not worse than version 1 by 5% or more (p < 0.001)" in ran.out
    refitted = trained.comparisons(2)["refitted"]
    assert refitted["challenger_rmse"] == refitted["champion_rmse"]
    assert trained.promotion(2)["not_compared"] == {
        "as is": "0 of 400 rows are new to it and not refused by it, 100 are needed"
    }


def test_a_table_that_grew_is_compared_with_the_published_model_on_the_rows_it_has_not_seen(
    trained: Workshop,
) -> None:
    ran = trained.train(joined(TABLE, MORE))

    assert (ran.code, trained.current) == (0, 2)
    found = trained.comparisons(2)
    assert found["refitted"]["rows"] == 600
    # Of the 200 new rows about a tenth pass for old ones, no old one for new.
    assert 150 < found["as is"]["rows"] <= 200
    assert "as is" in ran.out


def test_where_the_rows_stand_and_what_is_left_out_beside_them_does_not_matter(
    trained: Workshop,
) -> None:
    rows = joined(MORE, TABLE)
    grown = {"id": [f"row {place}" for place in range(600)], **rows}

    ran = trained.train(grown)

    assert (ran.code, trained.current) == (0, 2)
    assert 150 < trained.comparisons(2)["as is"]["rows"] <= 200


def test_every_number_of_the_decision_stands_in_the_manifest(trained: Workshop) -> None:
    trained.train(joined(TABLE, MORE), "--margin", "8", "--folds", "5")

    found = trained.promotion(2)
    assert {key: found[key] for key in ("champion", "rule", "margin", "alpha", "decision")} == {
        "champion": 1,
        "rule": "not-worse",
        "margin": 0.08,
        "alpha": 0.05,
        "decision": "promoted",
    }
    assert (found["folds"], found["repeats"], found["schema_changes"]) == (5, 10, [])
    for comparison in found["comparisons"]:
        for test in (comparison["not_worse"], comparison["better"]):
            assert test.keys() == {"difference", "standard_error", "df", "t", "p"}
            assert test["df"] == 49
    described = trained.reader.open("t", 2).manifest.description
    assert described.promotion == found


def test_the_same_data_and_seed_give_the_same_decision_to_the_last_digit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        shop = Workshop(tmp_path / name, capsys)
        shop.train(TABLE)
        shop.train(joined(TABLE, MORE))
        found.append(shop.promotion(2))

    assert found[0] == found[1]


def test_rows_that_the_champion_would_refuse_are_not_held_against_it(shop: Workshop) -> None:
    table, more = columns(400, kinds=True), columns(200, seed=1, kinds=True)
    more["kind"][:50] = ["new"] * 50
    shop.train(table)

    ran = shop.train(joined(table, more))

    assert (ran.code, shop.current) == (0, 2)
    assert 110 < shop.comparisons(2)["as is"]["rows"] <= 150


def test_real_data_that_grew_are_promoted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if not (SHARED / "germancredit.csv").exists():
        pytest.skip("the shared data folder beside the checkout has no germancredit.csv")
    header, *lines = (SHARED / "germancredit.csv").read_text().splitlines()
    np.random.default_rng(0).shuffle(lines)
    shop = Workshop(tmp_path, capsys)
    for rows in (800, 1000):
        (tmp_path / "t.csv").write_text("\n".join([header, *lines[:rows], ""]))
        ran = shop.train(None, target="credit_amount")
        assert (ran.code, ran.err) == (0, "")

    assert shop.current == 2
    assert {*shop.comparisons(2)} == {"refitted", "as is"}


# ---- what is not proven stays a candidate


def test_a_challenger_that_is_worse_than_the_published_model_stays_a_candidate(
    trained: Workshop,
) -> None:
    ran = trained.train(columns(30, seed=2))

    assert_candidate(trained, ran, "it may be worse than version 1 as is by 5% or more (p = ")
    assert "as is" in ran.out
    load_model(trained.reader, "t", 2)


def test_a_table_that_lost_most_of_its_rows_stays_a_candidate(trained: Workshop) -> None:
    ran = trained.train(part(TABLE, 0, 60))

    assert_candidate(
        trained, ran, "it was trained on 60 rows and version 1 on 400, and they cannot be compared"
    )


def test_a_service_goes_on_with_the_champion_and_answers_for_the_candidate_by_number(
    trained: Workshop,
) -> None:
    client = client_of(trained.models)
    before = client.post("/predict", json={"x": [1, 2, 3]})

    trained.train(part(TABLE, 0, 60))

    after = client.post("/predict", json={"x": [1, 2, 3]})
    candidate = client.post("/models/t/versions/2/predict", json={"x": [1, 2, 3]})
    assert after.json == before.json != candidate.json
    assert (after.headers["X-Model"], candidate.headers["X-Model"]) == ("t/1", "t/2")
    assert client.get("/models/t").get_json()["versions"] == [1, 2]


def test_the_command_that_activates_a_candidate_names_the_folder_only_where_it_must(
    trained: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = trained.train(TABLE, "--promote", "never").out.splitlines()[-1]
    monkeypatch.setenv("ORDINATE_MODELS", str(trained.models))
    here = trained.train(TABLE, "--promote", "never").out.splitlines()[-1]

    assert here == "flask --app wsgi models activate t/3"
    assert elsewhere == (f"ORDINATE_MODELS={trained.models} flask --app wsgi models activate t/2")


def test_a_candidate_leaves_the_next_good_version_its_place(trained: Workshop) -> None:
    trained.train(part(TABLE, 0, 60))

    ran = trained.train(joined(TABLE, MORE))

    assert (ran.code, trained.versions, trained.current) == (0, [1, 2, 3], 3)
    assert trained.promotion(3)["champion"] == 1


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (
            without(TABLE, "c"),
            "feature 'c' is dropped: requests that have it will be refused",
        ),
        (
            {"d": columns(400, seed=5)["a"], **TABLE},
            "feature 'd' is added: requests without it will be refused",
        ),
        (
            {**TABLE, "c": ["low" if value < 0 else "high" for value in TABLE["c"]]},
            (
                "feature 'c' is retyped, a category and was a number: "
                "requests with its old values will be refused"
            ),
        ),
        (
            {name: TABLE[name] for name in ("b", "a", "c", "y")},
            "the features have another order: rows sent as lists will be misread",
        ),
    ],
    ids=["dropped", "added", "retyped", "moved"],
)
def test_what_breaks_requests_is_promoted_on_request_alone(
    trained: Workshop, table: Columns, says: str
) -> None:
    kept = trained.train(table)
    assert_candidate(trained, kept, says)

    forced = trained.train(table, "--promote", "always")

    assert (forced.code, forced.err, trained.current) == (0, "", 3)
    for ran, version in ((kept, 2), (forced, 3)):
        assert f"  breaks: {says}" in ran.out
        assert trained.promotion(version)["schema_changes"] == [says]


def test_a_category_that_is_gone_breaks_requests_too(shop: Workshop) -> None:
    table = columns(60, kinds=True)
    shop.train(table)

    ran = shop.train({**table, "kind": [kind.replace("z", "x") for kind in table["kind"]]})

    assert_candidate(shop, ran, "feature 'kind' no longer knows 'z'")


def test_a_feature_that_is_left_out_is_still_used_for_the_champion(trained: Workshop) -> None:
    ran = trained.train(TABLE, "--drop", "a")

    assert_candidate(trained, ran, "feature 'a' is dropped")
    refitted = trained.comparisons(2)["refitted"]
    assert refitted["challenger_rmse"] > 2 * refitted["champion_rmse"]
    assert refitted["not_worse"]["p"] > 0.999


def test_a_column_that_is_gone_leaves_nothing_to_compare(trained: Workshop) -> None:
    ran = trained.train(without(TABLE, "a"))

    assert_candidate(trained, ran, "feature 'a' is dropped")
    assert "Not compared with version 1:" in ran.out
    assert trained.promotion(2)["not_compared"]["refitted"] == "there is no column 'a' any more"


def test_another_target_is_never_compared(trained: Workshop) -> None:
    ran = trained.train(TABLE, target="b")

    assert_candidate(trained, ran, "the target is 'b' and was 'y': answers will mean something els")
    assert trained.promotion(2)["comparisons"] == []


# ---- what was asked for


def test_better_leaves_an_equal_one_a_candidate(trained: Workshop) -> None:
    ran = trained.train(TABLE, "--promote", "better")

    assert_candidate(trained, ran, "it is not shown to be better than version 1 refitted")
    assert "not better" in ran.out


def test_better_promotes_what_is_better(shop: Workshop) -> None:
    shop.train(columns(25))

    ran = shop.train(columns(600, seed=3), "--promote", "better")

    assert (ran.code, ran.err, shop.current) == (0, "", 2)
    assert "it is better than version 1 as is (p" in ran.out
    assert shop.comparisons(2)["as is"]["better"]["p"] < 0.05


def test_never_publishes_a_candidate_and_that_is_no_failure(trained: Workshop) -> None:
    ran = trained.train(TABLE, "--promote", "never")

    assert (ran.code, ran.err) == (0, "")
    assert "Published as version 2, a candidate: " in ran.out
    assert (trained.versions, trained.current) == ([1, 2], 1)


@pytest.mark.parametrize("margin", ["0", "-1", "101", "nan", "inf"])
def test_a_margin_that_makes_no_sense_is_refused(trained: Workshop, margin: str) -> None:
    ran = trained.train(TABLE, f"--margin={margin}")

    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert "allowed is more than 0 and up to 100 percent" in ran.err
    assert trained.versions == [1]


# ---- old versions are let go after a publish, whatever was decided


def test_old_versions_are_let_go_behind_a_candidate_too_and_the_candidate_stays(
    trained: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained.train(TABLE)
    trained.train(TABLE)
    trained.train(TABLE, "--promote", "never")
    monkeypatch.setenv("ORDINATE_KEEP_VERSIONS", "1")

    ran = trained.train(TABLE, "--promote", "better")

    assert (ran.code, ran.err.count("\n")) == (3, 1)
    assert ran.out.splitlines()[-1] == (
        "Removed old versions, all but the 1 newest and those in use: 1, 4"
    )
    # 3 is current, 2 is what a rollback returns to, 5 is what was just published.
    assert (trained.versions, trained.current) == ([2, 3, 5], 3)
    assert trained.reader.previous("t") == 2


def test_nothing_is_let_go_where_nothing_was_published(
    trained: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        trained.train(TABLE)
    monkeypatch.setenv("ORDINATE_KEEP_VERSIONS", "1")

    unchanged = trained.train(TABLE, "--if-changed")
    refused = trained.train(TABLE, "--margin=0")

    assert (unchanged.code, refused.code) == (0, 2)
    assert trained.versions == [1, 2, 3, 4]


def test_a_candidate_leads_nowhere_until_it_is_activated(trained: Workshop) -> None:
    trained.train(TABLE, "--promote", "never")
    keeper = Keeper(trained.models)
    assert keeper.previous("t") is None

    assert keeper.activate("t", 2) == 1

    assert (trained.current, keeper.previous("t")) == (2, 1)
