"""The bill of materials: of what serves, whole, valid, and the same each time."""

import json
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from supply.sbom import PRODUCT, asked, bill, installed, locked, main, normal, problem_of
from tests.support.server import ROOT

LOCK = locked(ROOT / "requirements.txt")


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    """What the tool says of this environment."""
    return installed()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("bill") / "sbom.json"
    assert main([str(file)]) == 0
    return file.read_text("utf-8")


@pytest.fixture(scope="module")
def packages(written: str) -> dict[str, dict[str, Any]]:
    """What the bill says of each package, by name."""
    components = json.loads(written)["components"]
    return {normal(each["name"]): each for each in components if each["type"] == "library"}


def test_it_has_what_is_locked_and_installed_and_nothing_of_the_tests(
    packages: dict[str, dict[str, Any]],
) -> None:
    here = {normal(each.name) for each in metadata.distributions()}

    assert packages.keys() == LOCK.keys() & here
    assert "pytest" in here - packages.keys()


def test_each_package_has_its_version_its_licence_and_the_digests_of_its_files(
    packages: dict[str, dict[str, Any]],
) -> None:
    for name, package in packages.items():
        version, digests = LOCK[name]
        shown = [
            each["content"]
            for reference in package["externalReferences"]
            for each in reference.get("hashes", ())
        ]

        assert (package["version"], shown) == (version, digests)
        assert package["purl"] == f"pkg:pypi/{name}@{version}"
        assert package["licenses"]
        assert digests


def test_it_says_who_asks_for_whom(written: str, packages: dict[str, dict[str, Any]]) -> None:
    document = json.loads(written)
    edges = {each["ref"]: each["dependsOn"] for each in document["dependencies"]}
    direct = asked(ROOT / "requirements.in")

    assert document["metadata"]["component"]["bom-ref"] == PRODUCT
    assert {packages[name]["bom-ref"] for name in direct} == set(edges[PRODUCT])
    assert set(reached(edges, PRODUCT)) == {each["bom-ref"] for each in packages.values()}


def reached(edges: dict[str, list[str]], start: str) -> Iterator[str]:
    """All that one asks for, directly or not."""
    for each in edges[start]:
        yield each
        yield from reached(edges, each)


def test_it_is_the_same_each_time(written: str, found: dict[str, Any]) -> None:
    again = bill(found, LOCK, asked(ROOT / "requirements.in"))

    assert json.dumps(again, indent=1, sort_keys=True) + "\n" == written
    assert not {"serialNumber", "timestamp"} & (again.keys() | again["metadata"].keys())


def test_what_does_not_follow_the_schema_is_told(found: dict[str, Any]) -> None:
    text = json.dumps({**found, "components": [], "dependencies": [], "bomFormat": "another"})

    assert "no valid CycloneDX 1.6" in str(problem_of(text))


def test_another_version_than_the_locked_one_is_refused(found: dict[str, Any]) -> None:
    name = "flask"

    with pytest.raises(SystemExit, match="is locked: set up anew"):
        bill(found, {name: ("0.0.1", [])}, [])


def test_it_is_told_where_to_write(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert capsys.readouterr().err.startswith("usage:")


def test_nothing_that_serves_imports_it() -> None:
    files = [*Path(ROOT / "app").rglob("*.py"), ROOT / "wsgi.py", ROOT / "gunicorn.conf.py"]

    assert "supply" not in sys.stdlib_module_names
    assert not [file for file in files if "import supply" in file.read_text("utf-8")]
