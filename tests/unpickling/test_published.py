"""A hostile pickle in a version that is whole in every other way: published, and never run."""

import pickle
from pathlib import Path

import pytest

from app.errors import BrokenModel
from app.model import load_model
from app.runtimes import MODEL_FILE
from app.store import Reader, Store
from tests.support.keys import signer, trusting
from tests.support.models import PLAIN, SINGLE, described, fitted, publish
from tests.support.pickles import Calls
from tests.support.watched import Watched


def payload(canary: str) -> bytes:
    return pickle.dumps(Calls(exec, f"open({canary!r}, 'w').close()"))


@pytest.fixture
def root(tmp_path: Path, canary: str) -> Path:
    """A models folder with a good version 1 of `tiny`, and the payload in version 2."""
    root = tmp_path / "models"
    publish(root, seed=1)
    Store(root).publish("tiny", described(PLAIN, fitted(PLAIN)), {MODEL_FILE: payload(canary)})
    return root


def test_it_is_refused_with_the_name_of_what_it_would_have_called(root: Path) -> None:
    with pytest.raises(BrokenModel) as caught:
        load_model(Reader(root), "tiny", 2)

    assert caught.value.message == (
        "its model.joblib cannot be loaded: it needs builtins.exec, "
        "which fitted scikit-learn pipelines are not made of"
    )


def test_the_last_good_version_serves(root: Path) -> None:
    watched = Watched(root)

    told = watched.refresh()

    assert [(event.version, event.outcome) for event in told] == [(2, "refused"), (1, "loaded")]
    assert watched.label == "tiny/1"


def test_where_signatures_are_required_it_is_not_even_read(root: Path, tmp_path: Path) -> None:
    (root / "tiny" / "2" / MODEL_FILE).unlink()

    with pytest.raises(BrokenModel, match="it is not signed"):
        load_model(Reader(root, trusting(signer(tmp_path / "keys", "mine"))), "tiny", 2)


def test_a_trusted_key_does_not_make_it_run(tmp_path: Path, canary: str) -> None:
    mine = signer(tmp_path / "keys", "mine")
    keys = trusting(mine, signs=mine)
    description = described(SINGLE, fitted(SINGLE))
    Store(tmp_path, keys).publish("single", description, {MODEL_FILE: payload(canary)})

    with pytest.raises(BrokenModel, match=r"it needs builtins\.exec"):
        load_model(Reader(tmp_path, keys), "single", 1)
