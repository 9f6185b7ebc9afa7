"""The bill of materials: ``python -m supply.sbom FILE`` writes what serves as CycloneDX 1.6.

Licences and the graph are those of what is installed, as cyclonedx-py reads them; which packages,
and the digests of their files, those of requirements.txt. The same lock and the same tools give the
same bytes: there is neither a time nor a serial number in it.
"""

import json
import platform
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion

ROOT = Path(__file__).resolve().parents[1]
VERSION = SchemaVersion.V1_6
PRODUCT = "root-component"
"""How the tool refers to what it describes."""

_PIN = re.compile(r"([A-Za-z0-9._-]+)==([^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")

Document = dict[str, Any]


def main(arguments: list[str]) -> int:
    """Write the file; exit 1 if it is no valid bill of materials."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m supply.sbom FILE\n")
        return 2
    document = bill(installed(), locked(ROOT / "requirements.txt"), asked(ROOT / "requirements.in"))
    text = json.dumps(document, indent=1, sort_keys=True) + "\n"
    if problem := problem_of(text):
        sys.stderr.write(f"error: {problem}\n")
        return 1
    Path(arguments[0]).write_text(text, encoding="utf-8")
    return 0


def installed() -> Document:
    """What cyclonedx-py says of the packages that this interpreter finds."""
    command = [sys.executable, "-W", "ignore", "-m", "cyclonedx_py", "environment", sys.executable]
    options = ["--output-reproducible", "--no-validate", "--spec-version", VERSION.to_version()]
    product = ["--pyproject", str(ROOT / "pyproject.toml")]
    done = subprocess.run([*command, *options, *product], check=True, stdout=subprocess.PIPE)
    found: Document = json.loads(done.stdout)
    return found


def locked(path: Path) -> Mapping[str, tuple[str, list[str]]]:
    """Version and SHA-256 digests of each package in a lock file, by its normal name."""
    found: dict[str, tuple[str, list[str]]] = {}
    for line in path.read_text(encoding="utf-8").replace("\\\n", "").splitlines():
        if pin := _PIN.match(line):
            found[normal(pin[1])] = (pin[2], sorted(_HASH.findall(line)))
    return found


def asked(path: Path) -> set[str]:
    """The packages that a .in file names, by their normal names."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return {normal(re.split(r"[<>=~!\[ ;]", each)[0]) for each in lines if each[:1].isalnum()}


def normal(name: str) -> str:
    """A package's name in the one form that all its spellings share."""
    return re.sub(r"[-_.]+", "-", name).lower()


def bill(
    found: Document, lock: Mapping[str, tuple[str, list[str]]], direct: Iterable[str]
) -> Document:
    """The bill of what is both installed and locked.

    Args:
        found: what the tool says of the environment, which may have more in it.
        lock: versions and digests by name.
        direct: names of those that the product asks for itself.

    Raises:
        SystemExit: a package is installed in another version than the locked one.
    """
    components = {}
    for each in found["components"]:
        name = normal(each["name"])
        if name in lock:
            components[each["bom-ref"]] = _with_digests(each, *lock[name])
    references = {normal(each["name"]): ref for ref, each in components.items()}
    graph = {each["ref"]: each.get("dependsOn", []) for each in found["dependencies"]}
    graph = {ref: graph.get(ref, []) for ref in components}
    graph[PRODUCT] = [references[name] for name in direct if name in references]
    edges = [
        {"ref": ref, "dependsOn": sorted(each for each in needed if each in components)}
        for ref, needed in sorted(graph.items())
    ]
    ordered = sorted(components.values(), key=lambda each: normal(each["name"]))
    return {**found, "components": [*ordered, _interpreter()], "dependencies": edges}


def _with_digests(component: Document, version: str, digests: list[str]) -> Document:
    if component["version"] != version:
        name, other = component["name"], component["version"]
        raise SystemExit(f"error: {name} {other} is installed, {version} is locked: set up anew")
    files = {
        "type": "distribution",
        "url": f"https://pypi.org/project/{normal(component['name'])}/{version}/#files",
        "comment": "any of these files, by requirements.txt",
        "hashes": [{"alg": "SHA-256", "content": digest} for digest in digests],
    }
    return {**component, "externalReferences": [*component.get("externalReferences", []), files]}


def _interpreter() -> Document:
    version = platform.python_version()
    return {
        "type": "platform",
        "name": platform.python_implementation(),
        "version": version,
        "bom-ref": f"python=={version}",
        "purl": f"pkg:generic/python@{version}",
        "licenses": [{"license": {"id": "PSF-2.0"}}],
    }


def problem_of(text: str) -> str | None:
    """Why a text is no valid bill of materials; None where it is one."""
    from cyclonedx.validation.json import (  # noqa: PLC0415 - it takes seconds
        JsonStrictValidator,
    )

    error = JsonStrictValidator(VERSION).validate_str(text)
    return None if error is None else f"no valid CycloneDX {VERSION.to_version()}: {error.data}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
