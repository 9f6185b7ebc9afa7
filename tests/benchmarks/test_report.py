"""The report says what was measured, and can be written again from what was kept."""

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks import archive, report
from benchmarks.halfway import Paced
from benchmarks.rounds import Sample, Start
from benchmarks.session import Results
from benchmarks.summary import compared, lines


def session() -> Results:
    """Two services over two rounds, one of them by float32, a third left out."""
    costs = {"Ordinate": (30.0, 33.0), "LitServe": (900.0, 1_100.0)}
    return Results(
        samples=[
            Sample(name, "1", number, 1_000, 2.0, cost / 1e3, cost / 1e3, 100.0, 200.0, 0.3, error)
            for name, pair in costs.items()
            for number, cost in enumerate(pair)
            for error in [3e-8 if name == "LitServe" else 0.0]
        ],
        starts=[Start(name, 0, 0.5, 50.0, 60.0, 2) for name in costs],
        paced=[Paced("Ordinate", 0, "equal", 5_000.0, 100.0, 250.0, 200.0, 40.0)],
        skipped={"MLServer": "its installation failed"},
        circumstances={"commit": "0123456789ab"},
    )


def test_a_session_is_kept_whole(tmp_path: Path) -> None:
    archive.save(session(), tmp_path / "results.json")

    assert archive.load(tmp_path / "results.json") == session()


def test_services_stand_below_ours_by_what_they_cost() -> None:
    ours, theirs = compared(session(), "1", "Ordinate")

    assert (ours.service, ours.times) == ("Ordinate", None)
    assert theirs.times
    assert theirs.times.least == pytest.approx(30)
    assert theirs.times.largest == pytest.approx(1_100 / 33)


def test_the_report_has_ratios_goals_circumstances_and_a_plot(tmp_path: Path) -> None:
    report.write(session(), tmp_path)

    text = (tmp_path / "benchmarks.md").read_text("utf-8")
    assert "| LitServe (off by 3e-08) | 31.7 (30.0-33.3) | 1,000 |" in text
    assert "| 1 row | CPU of FastAPI over ours | at least 4 |  | not measured |" in text
    assert "- commit: 0123456789ab" in text
    assert "- left out: MLServer: its installation failed" in text
    assert "(benchmarks.svg)" in text
    ElementTree.parse(tmp_path / "benchmarks.svg")


@pytest.mark.parametrize(("factor", "told"), [(1.1, "quiet."), (1.5, "not quiet")])
def test_a_noisy_machine_is_known_by_what_a_constant_costs(factor: float, told: str) -> None:
    results = session()
    least = replace(results.samples[0], service="constant, our worker")
    results.samples += [least, replace(least, round=1, cpu=least.cpu * factor)]

    assert any(f"{factor:.2f} times" in line and told in line for line in lines(results))


def test_two_workers_are_told_of_where_they_were_measured(tmp_path: Path) -> None:
    results = session()
    two = replace(results.samples[0], service="Ordinate, 2 workers", busiest=0.015)
    twice = replace(two, service="Ordinate, twice", cpu=0.036, busiest=0.03)
    results.samples += [two, twice]

    report.write(results, tmp_path)

    text = (tmp_path / "benchmarks.md").read_text("utf-8")
    assert "| 2.00 (2.00-2.00) | yes; not by two services: 1.67 (1.67-1.67) |" in text
    row = "| 8 | 2.00 (2.00-2.00) | 1.67 (1.67-1.67) | 1.00 (1.00-1.00) | 0.50 (0.50-0.50) |"
    assert row in text


def test_two_workers_with_many_connections_are_compared_with_one_that_has_as_many(
    tmp_path: Path,
) -> None:
    results = session()
    one = replace(results.samples[0], service="Ordinate, 32 connections", cpu=0.02, busiest=0.02)
    two = replace(one, service="Ordinate, 2 workers, 32 connections", busiest=0.0125)
    results.samples += [one, two]
    results.starts.append(replace(results.starts[0], service=one.service))

    report.write(results, tmp_path)

    text = (tmp_path / "benchmarks.md").read_text("utf-8")
    goal = "capacity over that of one, 32 connections | at least 1.8 | 1.60 (1.60-1.60) | no |"
    assert goal in text
    assert "| 32 | 1.60 (1.60-1.60) |  | 1.00 (1.00-1.00) | 0.62 (0.62-0.62) |" in text
    assert f"| {one.service} |" not in text
