"""Bodies of which is known how they were written: each becomes what it must, at every door."""

import json
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.fuzz import bodies
from tests.fuzz.doors import BY_FLASK, JSON, Door, Kept, Model, compare, direct
from tests.fuzz.grammar import BROKEN, LENIENT, RIGHT, WRONG, Body, Grammar
from tests.support.clients import client_of
from tests.support.models import MIXED, PLAIN, SINGLE, publish
from tests.support.server import Server

MODELS = {"plain": PLAIN, "mixed": MIXED, "single": SINGLE}
BODIES = 150
KINDS = {RIGHT, WRONG, LENIENT, BROKEN}


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Door]]:
    root = tmp_path_factory.mktemp("store") / "models"
    for name, schema in MODELS.items():
        publish(root, name, schema, linear=True)
    with (
        Server(root, ORDINATE_WORKERS="1") as ours,
        Server(root, ("-k", "gthread"), ORDINATE_WORKERS="1") as threads,
    ):
        kept = [Kept(ours, JSON), Kept(ours, BY_FLASK), Kept(threads, JSON)]
        yield [*kept, direct(client(root), JSON), direct(client(root), BY_FLASK)]
        for each in kept:
            each.close()


def client(root: Path) -> FlaskClient:
    return client_of(root, ORDINATE_ACCESS_LOG="off")


def written(name: str, faults: float = 0.02) -> list[Body]:
    grammar = Grammar(MODELS[name], random.Random(1), faults)
    return [grammar.body() for _ in range(BODIES)]


@pytest.mark.parametrize("name", MODELS)
def test_body_gets_the_answer_that_is_due_at_every_door(name: str, doors: list[Door]) -> None:
    model = Model.fitted(name, MODELS[name])

    statuses = Counter(compare(model, body, doors) for body in written(name))

    assert min(statuses[200], statuses[400]) > BODIES / 10


@pytest.mark.parametrize("name", MODELS)
def test_readers_agree_on_bodies_with_many_faults(name: str) -> None:
    for body in written(name, faults=0.2):
        bodies.check(body.text)


@pytest.mark.parametrize("name", MODELS)
def test_grammar_writes_every_kind_and_knows_what_json_is(name: str) -> None:
    found = written(name, faults=0.05)

    for body in found:
        try:
            json.loads(body.text.decode())
        except (ValueError, RecursionError):
            assert body.kind == BROKEN, body.text
        else:
            assert body.kind != BROKEN, body.text
    assert {body.kind for body in found} == KINDS
