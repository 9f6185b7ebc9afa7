"""The house rules, read from the source: who imports whom, who reads what, how large things are."""

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

RANKS = {
    "casts": 0,
    "cores": 0,
    "errors": 0,
    "files": 0,
    "masking": 0,
    "rates": 0,
    "terminal": 0,
    "threads": 0,
    "version": 0,
    "config": 1,
    "keyfiles": 1,
    "schema": 1,
    "diagnosis": 2,
    "linear": 2,
    "manifest": 2,
    "server": 2,
    "signing": 2,
    "unpickling": 2,
    "checking": 3,
    "compiled": 3,
    "runtimes": 3,
    "store": 3,
    "model": 4,
    "registry": 5,
    "training": 5,
    "protocols": 6,
    "security": 6,
    "telemetry": 6,
    "quotas": 7,
    "journal": 7,
    "tls": 7,
    "watcher": 7,
    "http": 8,
    "commands": 9,
    "worker": 9,
    "app": 10,
}
"""Of each room. A module imports from its own room and from rooms of lower ranks."""

ENVIRONMENT_READERS = {"app/config/values.py", "gunicorn.conf.py", "healthcheck.py", "wsgi.py"}
HANDLERS_OF_REQUESTS = {"http", "commands", "app"}
SPEAKERS_TO_GUNICORN = {
    "app/worker/heads.py",
    "app/worker/parsing.py",
    "app/worker/process.py",
    "app/worker/refusals.py",
    "app/telemetry/gunicorn_logger.py",
}
LATE_IMPORTS = {
    "app/quotas/remote.py": {"redis"},
    "app/security/key_sets.py": {"jwt"},
    "app/security/tokens.py": {"jwt"},
    "app/keyfiles.py": {"cryptography"},
    "app/journal/keys.py": {"cryptography"},
    "app/journal/sealing.py": {"cryptography"},
    "app/runtimes.py": {"joblib"},
    "app/signing/ed25519.py": {"cryptography"},
    "app/tls/live.py": {"app"},
    "app/commands/certs.py": {"app"},
    "supply/sbom.py": {"cyclonedx"},
}
"""What most processes never need, a library or our module that is built on it, in its user."""

WITHOUT_TESTS_OF_THEIR_OWN = {"errors", "version", "app"}
"""Nothing but names; `app` is the wiring, which every test over HTTP goes through."""

MODULE_LINES, TEST_MODULE_LINES, FUNCTION_LINES = 250, 400, 40
VAGUE = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc"}
FUNCTIONS, IMPORTS = (ast.FunctionDef, ast.AsyncFunctionDef), (ast.Import, ast.ImportFrom)
MOCKING = {"mock", "unittest.mock", "pytest_mock"}


def sources(*folders: str) -> list[Path]:
    """Python files of these folders, and with "." those of the root itself."""
    found: list[Path] = []
    for folder in folders:
        found += ROOT.glob("*.py") if folder == "." else (ROOT / folder).rglob("*.py")
    return sorted(found)


def name_of(path: Path) -> str:
    """A file as it is called in these rules."""
    return path.relative_to(ROOT).as_posix()


def room(path: Path) -> str:
    """The room of a file of app: the first part of its path, `app` for the wiring."""
    first = path.relative_to(ROOT / "app").parts[0].removesuffix(".py")
    return "app" if first == "__init__" else first


def tree(path: Path) -> ast.Module:
    """The syntax of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules ask of a file.

    Attributes:
        imports: full names of all that it imports anywhere.
        late: of these, what is imported within functions.
        functions: name, line and length of each, methods and inner ones included.
    """

    imports: frozenset[str]
    late: frozenset[str]
    functions: tuple[tuple[str, int, int], ...]


@cache
def facts(path: Path) -> Facts:
    """Read a file, once for all rules."""
    nodes = list(ast.walk(tree(path)))
    functions = [each for each in nodes if isinstance(each, FUNCTIONS)]
    inner = {id(node) for each in functions for node in ast.walk(each) if isinstance(node, IMPORTS)}
    imports = [each for each in nodes if isinstance(each, IMPORTS)]
    return Facts(
        frozenset(name for each in imports for name in names_of(each)),
        frozenset(name for each in imports if id(each) in inner for name in names_of(each)),
        tuple((each.name, each.lineno, length(each)) for each in functions),
    )


def names_of(node: ast.Import | ast.ImportFrom) -> list[str]:
    """Full names of what an import brings."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    assert node.level == 0, "imports are absolute"
    return [f"{node.module}.{alias.name}" for alias in node.names]


def imported_rooms(path: Path) -> set[str]:
    """The rooms of app that a file imports from."""
    parts = [name.split(".") for name in facts(path).imports]
    return {
        each[1] if each[1] in RANKS else "app" for each in parts if each[0] == "app" and each[1:]
    }


def packages(path: Path) -> set[str]:
    """The packages that a file imports from."""
    return {name.split(".")[0] for name in facts(path).imports}


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its documentation."""
    first = function.body[0]
    documentation = first if ast.get_docstring(function) is not None else None
    lines = (function.end_lineno or 0) - function.lineno + 1
    if documentation:
        lines -= (documentation.end_lineno or 0) - documentation.lineno + 1
    return lines


APP = sources("app")
EVERYTHING = sources(".", "app", "tests", "benchmarks", "supply")


@pytest.mark.parametrize("path", APP, ids=name_of)
def test_module_imports_only_from_lower_ranks(path: Path) -> None:
    rank = RANKS[room(path)]

    above = {each for each in imported_rooms(path) - {room(path)} if RANKS[each] >= rank}

    assert not above


def test_nothing_that_serves_imports_training() -> None:
    serving = [path for path in APP if room(path) != "training"] + [ROOT / "wsgi.py"]

    assert not [name_of(path) for path in serving if "training" in imported_rooms(path)]


def test_training_knows_neither_what_is_served_nor_http() -> None:
    for path in [*sources("app/training"), ROOT / "train.py"]:
        assert not imported_rooms(path) & {"registry", "http", "commands", "watcher", "worker"}
        assert not packages(path) & {"flask", "werkzeug", "gunicorn"}


def test_flask_is_imported_by_http_and_the_commands_alone() -> None:
    others = [path for path in APP if room(path) not in HANDLERS_OF_REQUESTS]

    assert not [name_of(path) for path in others if packages(path) & {"flask", "werkzeug"}]


def test_gunicorn_is_imported_only_where_it_is_extended() -> None:
    assert {name_of(p) for p in APP if "gunicorn" in packages(p)} <= SPEAKERS_TO_GUNICORN


def test_scikit_learn_and_pyarrow_are_imported_by_training_alone() -> None:
    serving = [path for path in APP if room(path) != "training"] + [ROOT / "wsgi.py"]

    assert not [name_of(path) for path in serving if packages(path) & {"sklearn", "pyarrow"}]


@pytest.mark.parametrize("path", sources(".", "app"), ids=name_of)
def test_environment_is_read_in_few_places(path: Path) -> None:
    names = {each.removeprefix("os.") for each in facts(path).imports if each.startswith("os.")}
    names |= {
        node.attr
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "os"
    }

    if names & {"environ", "environb", "getenv", "getenvb"}:
        assert name_of(path) in ENVIRONMENT_READERS


@pytest.mark.parametrize("path", EVERYTHING, ids=name_of)
def test_imports_stand_at_the_top(path: Path) -> None:
    late = {name.split(".")[0] for name in facts(path).late}

    assert late <= LATE_IMPORTS.get(name_of(path), set())


@pytest.mark.parametrize("path", EVERYTHING, ids=name_of)
def test_module_and_its_functions_are_small(path: Path) -> None:
    most = TEST_MODULE_LINES if "tests" in path.relative_to(ROOT).parts else MODULE_LINES

    lines = len(path.read_text(encoding="utf-8").splitlines())
    long = [
        f"{name} at line {line}"
        for name, line, lines_of_it in facts(path).functions
        if lines_of_it > FUNCTION_LINES
    ]

    assert lines <= most
    assert not long


def test_module_is_named_by_what_it_is_about() -> None:
    assert not [name_of(path) for path in EVERYTHING if path.stem in VAGUE]


def test_tests_use_no_mock_library() -> None:
    for path in sources("tests"):
        mocking = {
            name
            for name in facts(path).imports
            if f"{name}.".startswith(tuple(f"{m}." for m in MOCKING))
        }

        assert not mocking, name_of(path)


@pytest.mark.parametrize("name", sorted({room(path) for path in APP} - WITHOUT_TESTS_OF_THEIR_OWN))
def test_every_room_has_a_mirror_among_the_tests(name: str) -> None:
    if (ROOT / "app" / name).is_dir():
        assert list((ROOT / "tests" / name).glob("test_*.py"))
    else:
        assert (ROOT / "tests" / f"test_{name}.py").is_file()


def test_every_room_has_a_rank() -> None:
    assert {room(path) for path in APP} <= RANKS.keys()
