"""A real service that requires signatures, and somebody who writes to its models folder."""

import json
import os
import shutil
import signal
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.signing import Keys, Signer, read_signer
from tests.support.keys import signer, trusting
from tests.support.models import publish
from tests.support.server import Server


def get(server: Server, path: str) -> Any:
    with urllib.request.urlopen(f"{server.url}{path}", timeout=5) as answer:
        return json.loads(answer.read())


def versions(server: Server) -> set[int]:
    """What answers, asked often enough that each worker has its turn."""
    return {get(server, "/models/tiny")["version"] for _ in range(20)}


def events(server: Server, outcome: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in server.err if '"event":"model"' in line]
    return [line for line in lines if line["outcome"] == outcome]


def refused(server: Server) -> float:
    """The counter of refused versions of `tiny`."""
    with urllib.request.urlopen(f"{server.url}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    found = [line for line in text.splitlines() if 'model="tiny",outcome="refused"' in line]
    return sum(float(line.rsplit(" ", 1)[1]) for line in found)


@pytest.fixture
def mine(tmp_path: Path) -> Signer:
    return signer(tmp_path / "keys", "mine")


@pytest.fixture
def keys(mine: Signer) -> Keys:
    return trusting(mine, signs=mine)


@pytest.fixture
def root(tmp_path: Path, keys: Keys) -> Path:
    publish(tmp_path / "models", seed=1, keys=keys, linear=True)
    shutil.copy(tmp_path / "models" / "tiny" / "current", tmp_path / "old")
    return tmp_path / "models"


@pytest.fixture
def settings(tmp_path: Path, mine: Signer) -> dict[str, str]:
    assert read_signer(tmp_path / "keys" / "mine.pem").key == mine.key
    return {
        "ORDINATE_TRUSTED_KEYS": str(tmp_path / "keys"),
        "ORDINATE_REQUIRE_SIGNATURE": "on",
    }


@pytest.fixture
def server(root: Path, settings: dict[str, str]) -> Iterator[Server]:
    with Server(root, **settings) as running:
        yield running


def test_who_made_a_version_is_told(server: Server, mine: Signer) -> None:
    shown = get(server, "/models/tiny")

    assert shown["signature"] == {"state": "verified", "key": mine.key}


@pytest.mark.parametrize("who", ["nobody", "a stranger"])
def test_what_no_trusted_key_has_signed_is_never_served_but_logged_and_counted(
    server: Server, root: Path, tmp_path: Path, who: str
) -> None:
    stranger = signer(tmp_path / "elsewhere", "stranger") if who == "a stranger" else None

    publish(root, seed=2, keys=Keys(signer=stranger), linear=True)

    server.wait_for(lambda: len(events(server, "refused")) == 2)  # one line a worker
    assert versions(server) == {1}
    assert refused(server) == 2
    says = "is not signed" if stranger is None else f"signed by the key {stranger.key}"
    assert all(says in event["reason"] for event in events(server, "refused"))
    assert says in get(server, "/models/tiny")["problem"]


def test_a_pointer_that_was_put_back_changes_nothing_also_for_workers_that_are_born_later(
    server: Server, root: Path, keys: Keys
) -> None:
    publish(root, seed=2, keys=keys, linear=True)
    server.wait_for(lambda: versions(server) == {2})

    shutil.copy(root.parent / "old", root / "tiny" / "current")
    server.wait_for(lambda: len(events(server, "refused")) == 2)
    for worker in server.workers():
        os.kill(worker, signal.SIGKILL)
    server.wait_for(lambda: len(events(server, "refused")) >= 4)

    server.wait_for(lambda: versions(server) == {2})
    assert "was put back" in get(server, "/models/tiny")["problem"]


def test_a_restart_remembers_with_a_folder_for_it(
    root: Path, keys: Keys, settings: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "state").mkdir()
    settings["ORDINATE_STATE"] = str(tmp_path / "state")
    publish(root, seed=2, keys=keys, linear=True)
    with Server(root, **settings) as server:
        assert versions(server) == {2}

    shutil.copy(root.parent / "old", root / "tiny" / "current")

    with Server(root, **settings) as server:
        server.wait_for(lambda: versions(server) == {2})


def test_a_key_that_is_none_stops_the_start_with_one_line(
    root: Path, settings: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "keys" / "mine.pub").write_text("no key")

    with pytest.raises(AssertionError, match="the service ended by itself") as caught:
        Server(root, **settings).__enter__()

    assert "\nerror: ORDINATE_TRUSTED_KEYS: /" in str(caught.value)
    assert "mine.pub holds no public key in PEM" in str(caught.value)
    assert "Traceback" not in str(caught.value)
