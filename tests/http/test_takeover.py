"""Activations, rollbacks and labels reach a running service by themselves, and cost no request."""

import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.store import Keeper
from tests.support.models import publish
from tests.support.raw import Wire, post
from tests.support.server import Server

WORKERS = 2


@pytest.fixture
def keeper(tmp_path: Path) -> Keeper:
    """Versions 1 to 3 of `tiny`, the last of which is current."""
    for seed in (1, 2, 3):
        publish(tmp_path / "models", seed=seed, linear=True)
    return Keeper(tmp_path / "models")


@pytest.fixture
def server(keeper: Keeper) -> Iterator[Server]:
    with Server(keeper.root, ORDINATE_CANARY="tiny:100") as running:
        yield running


def told(server: Server, outcome: str) -> list[dict[str, Any]]:
    """The events of models with this outcome in the log."""
    lines = [json.loads(line) for line in list(server.err) if '"event":"model"' in line]
    return [line for line in lines if line["outcome"] == outcome]


def in_all_workers(server: Server, outcome: str) -> dict[str, Any]:
    """Wait until each worker has told of a change once, and give what they told."""
    server.wait_for(lambda: len(told(server, outcome)) >= WORKERS)
    first, second = told(server, outcome)
    first.pop("time"), second.pop("time")
    assert first == second
    return first


def test_an_activation_and_a_rollback_are_taken_over_counted_and_logged_once_a_worker(
    keeper: Keeper, server: Server
) -> None:
    keeper.activate("tiny", 1)

    swapped = in_all_workers(server, "swapped")
    assert {server.ask("/predict") for _ in range(20)} == {"tiny/1"}
    keeper.rollback("tiny")
    rolled_back = in_all_workers(server, "rolled back")
    assert {server.ask("/predict") for _ in range(20)} == {"tiny/3"}

    assert (swapped["model"], swapped["version"], swapped["before"]) == ("tiny", 1, 3)
    assert (rolled_back["model"], rolled_back["version"], rolled_back["before"]) == ("tiny", 3, 1)
    metrics = server.get("/metrics")
    for change in ("swapped", "rolled_back"):
        assert f'ordinate_model_changes_total{{change="{change}",model="tiny"}} 2.0' in metrics


def test_a_canary_is_taken_over_moved_and_let_go(keeper: Keeper, server: Server) -> None:
    assert server.ask("/predict") == "tiny/3"

    keeper.set_label("tiny", "canary", 1)
    labelled = in_all_workers(server, "labelled")
    assert {server.ask("/predict") for _ in range(20)} == {"tiny/1"}
    assert server.ask("/models/tiny/labels/canary/predict") == "tiny/1"
    assert server.ask("/models/tiny/versions/3/predict") == "tiny/3"

    keeper.remove_label("tiny", "canary")
    in_all_workers(server, "unlabelled")
    assert {server.ask("/predict") for _ in range(20)} == {"tiny/3"}

    assert (labelled["label"], labelled["version"]) == ("canary", 1)


def test_retries_with_the_same_id_stay_with_the_same_version_in_every_worker(
    keeper: Keeper,
) -> None:
    keeper.set_label("tiny", "canary", 1)

    with Server(keeper.root, ORDINATE_CANARY="tiny:50") as server:
        answered = {
            each: {server.ask("/predict", each) for _ in range(12)}
            for each in (f"retry-{n}" for n in range(12))
        }

    assert all(len(versions) == 1 for versions in answered.values())
    assert set.union(*answered.values()) == {"tiny/1", "tiny/3"}


def test_under_load_no_request_is_lost_and_no_version_comes_back_by_itself(
    keeper: Keeper,
) -> None:
    stop = threading.Event()
    statuses: Counter[int] = Counter()
    seen: list[list[str]] = []

    with Server(keeper.root) as server:

        def ask() -> None:
            mine: list[str] = []
            seen.append(mine)
            with Wire(server) as wire:  # one connection stays with one worker
                while not stop.is_set():
                    wire.send(post())
                    answer = wire.answer()
                    statuses[answer.status] += 1
                    if mine[-1:] != [answer.headers["X-Model"]]:
                        mine.append(answer.headers["X-Model"])

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for version in (4, 5):
            publish(keeper.root, seed=version, linear=True)
            await_version(server, seen, f"tiny/{version}")
        keeper.rollback("tiny")
        await_version(server, seen, "tiny/4")
        keeper.activate("tiny", 1)
        await_version(server, seen, "tiny/1")
        stop.set()
        for thread in threads:
            thread.join()

    assert set(statuses) == {200}
    assert seen == [["tiny/3", "tiny/4", "tiny/5", "tiny/4", "tiny/1"]] * 4


def await_version(server: Server, seen: list[list[str]], label: str) -> None:
    """Wait until every connection was answered by this version."""
    server.wait_for(lambda: len(seen) == 4 and all(mine[-1:] == [label] for mine in seen))


def test_a_worker_that_replaces_another_begins_with_what_is_current(keeper: Keeper) -> None:
    with Server(keeper.root, ORDINATE_WORKERS="1") as server:
        publish(keeper.root, seed=4, linear=True)
        server.wait_for(lambda: server.ask("/predict") == "tiny/4")
        workers = server.workers()

        os.kill(workers[0], signal.SIGKILL)

        server.wait_for(lambda: server.workers() not in ([], workers))
        assert {server.ask("/predict") for _ in range(5)} == {"tiny/4"}
