"""What train.py tells about a comparison and the decision that follows from it."""

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

from app.config import Config
from app.manifest import Manifest
from app.training.comparison import Comparison
from app.training.contest import Contest
from app.training.promotion import Decision, Terms, p_shown, percent
from app.training.report import figure_places, shown, table


def about_contest(terms: Terms, contest: Contest, decision: Decision) -> Iterator[str]:
    """The comparisons as a table, what they lack, what would break, and the decision."""
    label = contest.champion.label
    if contest.comparisons:
        folds, repeats = contest.task.folds, contest.task.repeats
        times = f"{repeats} x " if repeats > 1 else ""
        yield (
            f"Compared with {label} by RMSE on {times}{folds} folds, "
            "with the corrected resampled t-test:"
        )
        head = ["", "rows", "this model", label, "difference", *_questions(terms)]
        yield from table([head, *(_row(each, terms) for each in contest.comparisons)])
    else:
        yield f"Not compared with {label}:"
    for form, why in contest.untold.items():
        yield f"  {form}: {why}"
    for change in contest.breaks:
        yield f"  breaks: {change}"
    yield f"{'Promoted' if decision.promoted else 'Not promoted'}: {decision.reason}"


def _questions(terms: Terms) -> list[str]:
    """What the p values of a row are about: each is small where this is unlikely."""
    worse = f"worse by {percent(terms.margin)}"
    return [worse, "not better"] if terms.rule == "better" else [worse]


def _row(comparison: Comparison, terms: Terms) -> list[str]:
    challenger, champion = comparison.challenger.mean(), comparison.champion.mean()
    places = figure_places(float(max(challenger, champion)))
    margins = [terms.margin, 0.0][: len(_questions(terms))]
    return [
        comparison.form,
        str(comparison.rows),
        f"{challenger:{places}}",
        f"{champion:{places}}",
        f"{challenger / champion - 1:+.1%}",
        *(p_shown(comparison.excess(margin).p) for margin in margins),
    ]


def about_candidate(manifest: Manifest, models: Path, current: int | None) -> Iterator[str]:
    """Where the candidate is, what answers in its place, and how it can be made current."""
    config = Config.from_env()
    label = f"{manifest.name}/{manifest.version}"
    yield f"Published as version {manifest.version}, a candidate: {shown(models / label)}"
    stays = "What was current stays so" if current is None else f"Version {current} stays current"
    command = f"flask --app wsgi models activate {label}"
    if models.resolve() != config.models.resolve():
        command = f"ORDINATE_MODELS={shlex.quote(os.fspath(models))} {command}"
    yield f"{stays}. To make this one current all the same:"
    yield command


def about_repetition(version: int, why_not_current: str | None) -> str:
    """That there was nothing to do."""
    said = f"Unchanged: version {version} was trained on these data with these options"
    return said if why_not_current is None else f"{said}, {why_not_current}"
