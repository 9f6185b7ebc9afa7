"""The services that are compared: how each is started, with what, and how it is asked."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.dialects import (
    CONSTANT,
    LEAN,
    MLFLOW,
    MLSERVER,
    NATIVE,
    NATIVE_TABLE,
    X_TO_Y,
    Dialect,
)
from benchmarks.wrk import CONNECTIONS

ROOT = Path(__file__).resolve().parents[1]
PEERS = ROOT / "benchmarks" / "peers"
PLACE = ROOT / ".venv-bench"
"""Environments, models and results; nothing of it is kept by git."""

DATA = PLACE / "data"
BIN = Path(sys.executable).parent

UVICORN = ("--loop", "uvloop", "--http", "httptools")


@dataclass(frozen=True)
class Service:
    """A service and the works it can do.

    Attributes:
        name: as reports call it.
        command: to run it, {port} to be filled in; its first part is a program of `environment`.
        works: names of what it is asked for.
        dialect: in which.
        environment: the peer's own; none for those that run in ours.
        cwd: folder to start in.
        env: variables beside the few that every service gets; {port} is filled in.
        paced: whether it is also measured at half of its capacity.
        on_both: whether it has the core of the load as well.
        connections: over which it is loaded, 8 for each worker as a rule.
        threads: of the load, one for each worker.
        instances: how many of it are started, which share a port and nothing else.
    """

    name: str
    command: Sequence[str]
    works: frozenset[str]
    dialect: Dialect
    environment: str | None = None
    cwd: Path = PEERS
    env: Mapping[str, str] = field(default_factory=dict)
    paced: bool = False
    on_both: bool = False
    connections: int = CONNECTIONS
    threads: int = 1
    instances: int = 1

    def program(self) -> Path:
        """The path of what is run."""
        folder = PLACE / self.environment / "bin" if self.environment else BIN
        return folder / self.command[0]


NUMBERS = frozenset({"1", "1, always the same", "100", "1,000", "10,000"})
TABLE = frozenset({"1 by name", "1,000 by name"})
FLOOR = frozenset({"1", "1, always the same"})

_SHIPPED = ("gunicorn", "wsgi:app")
_OURS = {"PORT": "{port}", "ORDINATE_WORKERS": "1", "ORDINATE_MODELS": str(DATA / "models")}
_BARE = ("gunicorn", "--bind", "127.0.0.1:{port}", "--workers", "1")

ORDINATE = Service("Ordinate", _SHIPPED, NUMBERS, NATIVE, cwd=ROOT, env=_OURS, paced=True)
ORDINATE_TABLE = Service("Ordinate, table", _SHIPPED, TABLE, NATIVE_TABLE, cwd=ROOT, env=_OURS)
ORDINATE_TWO = replace(
    ORDINATE,
    name="Ordinate, 2 workers",
    works=frozenset({"1"}),
    env=_OURS | {"ORDINATE_WORKERS": "2"},
    paced=False,
    on_both=True,
    connections=2 * CONNECTIONS,
    threads=2,
)
ORDINATE_TWICE = replace(
    ORDINATE_TWO,
    name="Ordinate, twice",
    command=(*_SHIPPED, "--reuse-port"),
    env=_OURS,
    instances=2,
)
MANY = 32
"""Connections over which the load always has an answer to read, and needs no waking."""

ORDINATE_MANY = replace(
    ORDINATE,
    name=f"Ordinate, {MANY} connections",
    works=ORDINATE_TWO.works,
    paced=False,
    connections=MANY,
)
ORDINATE_TWO_MANY = replace(
    ORDINATE_TWO, name=f"{ORDINATE_TWO.name}, {MANY} connections", connections=2 * MANY
)
ORDINATE_TWICE_MANY = replace(
    ORDINATE_TWICE, name=f"{ORDINATE_TWICE.name}, {MANY} connections", connections=2 * MANY
)
CONSTANT_OURS = Service(
    "constant, our worker",
    (*_BARE, "--chdir", str(PEERS), "constant:application"),
    FLOOR,
    CONSTANT,
    cwd=ROOT,
    paced=True,
)
CONSTANT_UNKNOWN = replace(
    CONSTANT_OURS,
    name="constant, our worker, untold",
    command=(*_BARE, "--chdir", str(PEERS), "constant:untold"),
    paced=False,
)
CONSTANT_THREADS = Service(
    "constant, gthread",
    (*_BARE, "--worker-class", "gthread", "--threads", "8", "constant:application"),
    FLOOR,
    CONSTANT,
)


FASTAPI = Service(
    "FastAPI",
    ("uvicorn", "fastapi_service:app", "--port", "{port}", *UVICORN),
    NUMBERS,
    X_TO_Y,
    "fastapi",
    paced=True,
)
FASTAPI_TABLE = Service(
    "FastAPI, table",
    ("uvicorn", "fastapi_table:app", "--port", "{port}", *UVICORN),
    TABLE,
    X_TO_Y,
    "fastapi",
)
FASTAPI_LEAN = replace(
    FASTAPI,
    name="FastAPI, lean",
    command=(*FASTAPI.command, "--no-access-log"),
    dialect=LEAN,
    paced=False,
)

OTHERS = (
    Service(
        "Flask tutorial",
        (*_BARE, "--worker-class", "gthread", "--threads", "8", "flask_service:app"),
        NUMBERS,
        NATIVE,
        "flask",
    ),
    Service(
        "MLServer",
        ("mlserver", "start", str(DATA / "mlserver")),
        NUMBERS,
        MLSERVER,
        "mlserver",
        env={
            "MLSERVER_HTTP_PORT": "{port}",
            "MLSERVER_GRPC_PORT": "{another}",
            "MLSERVER_METRICS_PORT": "{another}",
            "MLSERVER_PARALLEL_WORKERS": "0",
        },
    ),
    Service(
        "MLflow",
        (
            *("mlflow", "models", "serve", "--model-uri", str(DATA / "mlflow" / "mlflow")),
            *("--port", "{port}", "--workers", "1", "--env-manager", "local"),
        ),
        NUMBERS,
        MLFLOW,
        "mlflow",
    ),
    Service("LitServe", ("python", "litserve_service.py", "{port}"), NUMBERS, NATIVE, "litserve"),
    Service(
        "BentoML",
        ("bentoml", "serve", "bentoml_service:Diabetes", "--port", "{port}"),
        NUMBERS,
        X_TO_Y,
        "bentoml",
    ),
)

QUICK = tuple(
    replace(each, paced=False)
    for each in (ORDINATE, FASTAPI, CONSTANT_OURS, ORDINATE_TABLE, FASTAPI_TABLE)
)
FULL = (
    ORDINATE_TWICE_MANY,
    ORDINATE_TWO_MANY,
    ORDINATE_MANY,
    ORDINATE_TWICE,
    ORDINATE_TWO,
    ORDINATE,  # next to what it is closely compared with: the machine changes its speed
    CONSTANT_OURS,
    CONSTANT_UNKNOWN,
    FASTAPI,
    FASTAPI_LEAN,
    CONSTANT_THREADS,
    ORDINATE_TABLE,
    FASTAPI_TABLE,
    *OTHERS,
)
