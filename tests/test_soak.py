"""The program that runs all that takes long."""

import sys
from pathlib import Path

import pytest

from tests.soak.__main__ import PROGRAMS, ROOT, main
from tests.soak.watching import trend

GOOD = (sys.executable, "-c", "")
BAD = (sys.executable, "-c", "raise SystemExit(3)")


def test_what_fails_keeps_nothing_behind_it_from_being_run(
    capfd: pytest.CaptureFixture[str],
) -> None:
    programs = {"one": BAD, "two": GOOD, "three": ("/nowhere/python",), "four": GOOD}

    assert main([], programs) == 1

    told = capfd.readouterr().out.splitlines()
    assert [line.split(" after ")[0] for line in told if "exit" in line] == [
        "== one: exit code 3",
        "== two: exit code 0",
        "== three: exit code 127",
        "== four: exit code 0",
    ]
    assert told[-1] == "failed: one, three"


def test_some_are_run_by_name(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["two"], {"one": BAD, "two": GOOD}) == 0
    assert "one" not in capfd.readouterr().out

    with pytest.raises(SystemExit):
        main(["thre"], {"one": BAD})
    assert "there is no thre" in capfd.readouterr().err


def test_every_program_is_among_them() -> None:
    """Each module of tests/soak that can be run by itself; that of TLS has a target of its own."""
    others = ("__main__", "tls", "crowding")  # the last one is started by slowness
    found = {
        path.stem
        for path in (ROOT / "tests" / "soak").glob("*.py")
        if 'if __name__ == "__main__"' in path.read_text() and path.stem not in others
    }

    assert found == set(PROGRAMS) - {"generated", "schemathesis", "fuzz"}
    named = [part for command in PROGRAMS.values() for part in command if part.startswith("tests/")]
    assert all((ROOT / Path(part)).exists() for part in named)


def test_a_trend_is_told_apart_from_what_moves_to_and_fro() -> None:
    amounts = [each / 10 for each in range(50)]
    moving = [100 + (-1) ** place for place in range(50)]

    slope, error = trend(
        amounts, [held + 2 * amount for held, amount in zip(moving, amounts, strict=True)]
    )
    assert slope == pytest.approx(2 / 105, rel=0.05)  # to what is held in the middle
    assert 0 < error < 0.002

    slope, error = trend(amounts, moving)
    assert abs(slope) < 2 * error
