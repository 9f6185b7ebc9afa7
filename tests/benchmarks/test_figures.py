"""The arithmetic of the benchmarks: what ratios are taken of, and what counts as a goal reached."""

from dataclasses import replace

import pytest

from benchmarks.figures import Spread, by_round, per_second, ratio, scaling, scaling_if_even, short
from benchmarks.goals import TEAMS, Goal, goals, tails
from benchmarks.halfway import Paced
from benchmarks.rounds import Sample, Start
from benchmarks.services import FULL
from benchmarks.session import Results

SAMPLE = Sample(
    service="Ordinate",
    work="1",
    round=0,
    requests=1_000,
    seconds=2.0,
    cpu=0.04,
    busiest=0.04,
    p50=100.0,
    p99=200.0,
    others=0.0,
    error=0.0,
)


def sampled(service: str, cost: float, number: int = 0, work: str = "1") -> Sample:
    """A service that uses so many microseconds for a request."""
    return replace(SAMPLE, service=service, work=work, round=number, cpu=cost / 1e3)


def test_a_cost_is_the_cpu_of_all_processes_over_the_requests() -> None:
    assert SAMPLE.cost == pytest.approx(40.0)
    assert per_second(SAMPLE) == 500.0


def test_a_ratio_is_taken_within_each_round() -> None:
    """A machine that slows down between two rounds changes both sides of a ratio."""
    samples = [
        *(sampled("Ordinate", cost, number) for number, cost in enumerate((8, 16, 32))),
        *(sampled("FastAPI", cost, number) for number, cost in enumerate((32, 64, 160))),
    ]

    found = ratio(by_round(samples, "FastAPI", "1"), by_round(samples, "Ordinate", "1"))

    assert found == Spread(median=4.0, least=4.0, largest=5.0)


def test_a_round_that_only_one_of_them_finished_counts_for_neither() -> None:
    assert ratio({0: 8.0, 1: 9.0}, {1: 3.0, 2: 1.0}) == Spread(3.0, 3.0, 3.0)
    assert ratio({0: 8.0}, {1: 3.0}) is None


def test_two_workers_are_judged_by_the_busier_one() -> None:
    two = replace(SAMPLE, requests=2_000, cpu=0.08, busiest=0.05)

    assert scaling(two, SAMPLE) == pytest.approx(1.6)


def test_two_services_are_judged_by_what_a_request_costs_both() -> None:
    two = replace(SAMPLE, requests=2_000, cpu=0.1, busiest=0.07)

    assert scaling_if_even(two, SAMPLE) == pytest.approx(1.6)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.314, "0.31"), (3.14159, "3.14"), (31.4159, "31.4"), (314.159, "314"), (31_415.9, "31,416")],
)
def test_numbers_are_shown_with_the_digits_that_count(value: float, shown: str) -> None:
    assert short(value) == shown


@pytest.mark.parametrize(
    ("sense", "found", "verdict"),
    [
        ("at least", 4.0, "yes"),
        ("at least", 3.9, "no"),
        ("at most", 4.0, "yes"),
        ("at most", 4.1, "no"),
    ],
)
def test_a_goal_is_reached_by_the_median(sense: str, found: float, verdict: str) -> None:
    goal = Goal("1 row", "", sense, 4.0, Spread(found, 0.0, 99.0))  # type: ignore[arg-type]

    assert goal.verdict == verdict


def test_all_whom_the_goals_of_two_workers_name_are_measured() -> None:
    assert {name for team in TEAMS.values() for name in team} <= {each.name for each in FULL}


def test_a_goal_without_a_measurement_is_not_reached() -> None:
    assert {goal.verdict for goal in goals(Results())} == {"not measured"}


def test_goals_compare_the_works_and_services_they_name() -> None:
    results = Results(
        samples=[
            sampled("Ordinate", 30),
            sampled("FastAPI", 240),
            sampled("MLServer", 600),
            sampled("constant, our worker", 20),
            sampled("Ordinate", 100, work="100"),
            sampled("Ordinate", 9_000, work="10,000"),
        ],
        starts=[Start("Ordinate", 0, 0.3, 44.0, 90.0, 2), Start("FastAPI", 0, 2.0, 170, 170, 1)],
        paced=[Paced("Ordinate", 0, "equal", 5_000, 100, 250, 200, 40)],
    )

    found = {goal.quantity: goal.found.median for goal in goals(results) if goal.found}

    assert found == {
        "CPU of FastAPI over ours": pytest.approx(8.0),
        "CPU of MLServer over ours": pytest.approx(20.0),
        "our CPU over constant, our worker": pytest.approx(1.5),
        "our CPU for a row over that at 100": pytest.approx(0.9),
        "seconds to a first prediction": 0.3,
        "MB (PSS), master and one worker": 44.0,
        "p99 over p50": 2.5,
        "p99 of most thousands over p50": 2.0,
    }
    assert tails(results, "Ordinate", "random") is None


def test_a_goal_of_latency_shows_what_the_machine_gives_a_program_that_takes_as_long() -> None:
    results = Results(
        paced=[
            Paced("Ordinate", 0, "equal", 5_000, 100, 400, 200, 40),
            Paced("C, as long as Ordinate", 0, "equal", 5_000, 100, 500, 150, 40),
        ],
    )

    verdicts = [goal.verdict for goal in goals(results) if goal.found]

    assert verdicts == [
        "no; nor by C, as long: 5.00 (5.00-5.00)",
        "yes; C, as long: 1.50 (1.50-1.50)",
    ]


def test_latencies_on_a_core_of_its_own_are_a_goal_apart() -> None:
    results = Results(
        paced=[
            Paced("Ordinate", 0, "equal", 5_000, 100, 400, 200, 40),
            Paced("Ordinate", 0, "equal", 5_000, 100, 250, 180, 40, alone=True),
        ],
    )

    found = {(goal.work, goal.quantity): goal.found.median for goal in goals(results) if goal.found}

    assert found == {
        ("half of capacity", "p99 over p50"): 4.0,
        ("half of capacity", "p99 of most thousands over p50"): 2.0,
        ("half of capacity, alone on its core", "p99 over p50"): 2.5,
        ("half of capacity, alone on its core", "p99 of most thousands over p50"): 1.8,
    }


@pytest.mark.parametrize(
    ("found", "control", "verdict"),
    [
        (2.0, 4.0, "yes; not by C, as long: 4.00 (4.00-4.00)"),
        (4.0, 3.0, "no; C, as long: 3.00 (3.00-3.00)"),
    ],
)
def test_a_goal_tells_whether_what_cannot_be_better_keeps_it(
    found: float, control: float, verdict: str
) -> None:
    goal = Goal("", "", "at most", 3.0, Spread.of([found]), Spread.of([control]))

    assert goal.verdict == verdict
