"""decode -> check -> predict -> encode, telemetry, and all of it: pytest-benchmark shows ratios.

Each group begins with what the others are to be measured by: the prediction by scikit-learn itself.
"""

import io
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import joblib
import numpy as np
import orjson
import pytest

from app import create_app
from app.checking import to_matrix
from app.config import Config
from app.http.fast import FastPath
from app.http.plain import Plain
from app.model import Model, load_model
from app.protocols import native
from app.runtimes import MODEL_FILE
from app.security import Sender
from app.store import Reader
from app.telemetry import Log, Metrics, request_id
from app.worker.answers import Heads
from benchmarks.services import DATA

MAX_ROWS = 100_000
Benchmark = Callable[..., Any]


@dataclass(frozen=True)
class Case:
    """A request: its rows, its body, whether its only row is bare."""

    rows: list[list[float]]
    body: bytes
    single: bool


def _case(count: int) -> Case:
    rows = np.random.default_rng(1).normal(scale=0.05, size=(count, 10)).tolist()
    return Case(rows, orjson.dumps({"x": rows[0] if count == 1 else rows}), count == 1)


@pytest.fixture(params=[1, 1_000], ids=["1 row", "1,000 rows"])
def case(request: Any, benchmark: Any) -> Case:
    """A request of one row, and one of many; each is a group of its own."""
    benchmark.group = f"rows: {request.param}"
    return _case(request.param)


@pytest.fixture(scope="module")
def model() -> Model:
    """The diabetes model, as it is served."""
    reader = Reader(DATA / "models")
    return load_model(reader, "diabetes", reader.current("diabetes").version)


@pytest.fixture
def discarded() -> Iterator[int]:
    """A descriptor that takes whatever is written."""
    descriptor = os.open(os.devnull, os.O_WRONLY)
    yield descriptor
    os.close(descriptor)


def test_0_scikit_learn_predicts(benchmark: Benchmark, case: Case) -> None:
    """scikit-learn's own predict on a matrix that is ready."""
    reader = Reader(DATA / "models")
    opened = reader.open("diabetes", reader.current("diabetes").version)
    estimator = joblib.load(io.BytesIO(opened.files[MODEL_FILE]))

    benchmark(estimator.predict, np.array(case.rows))


def test_1_decode(benchmark: Benchmark, case: Case, model: Model) -> None:
    """JSON to rows."""
    benchmark(native.decode, case.body, model.schema, MAX_ROWS)


def test_2_check(benchmark: Benchmark, case: Case, model: Model) -> None:
    """Rows to a matrix, every value checked."""
    benchmark(to_matrix, model.schema, case.rows)


def test_3_predict(benchmark: Benchmark, case: Case, model: Model) -> None:
    """A matrix to predictions."""
    benchmark(model.predict, to_matrix(model.schema, case.rows))


def test_4_check_and_predict(benchmark: Benchmark, case: Case, model: Model) -> None:
    """Rows to predictions, by the shortest way there is."""
    call = native.decode(case.body, model.schema, MAX_ROWS)

    benchmark(model.answer, call.rows, call.only_numbers)


def test_5_encode(benchmark: Benchmark, case: Case, model: Model) -> None:
    """Predictions to JSON."""
    call = native.decode(case.body, model.schema, MAX_ROWS)

    benchmark(native.encode, call.single, model.answer(call.rows, call.only_numbers))


def test_6_compiled_code_does_1_to_4(benchmark: Benchmark, case: Case, model: Model) -> None:
    """JSON to predictions by compiled code."""
    if model.plan is None:
        pytest.skip("the compiled code was not built: python -m app.compiled")

    benchmark(model.answer_plain, case.body, b'"x"', MAX_ROWS)


def test_7_a_whole_request(benchmark: Benchmark, case: Case) -> None:
    """All of it through the WSGI application, counted and logged."""
    app = create_app(Config.from_env({"ORDINATE_MODELS": str(DATA / "models")}))
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/predict",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(case.body)),
    }

    def ask() -> Any:
        given = environ | {"wsgi.input": io.BytesIO(case.body)}
        return app.wsgi_app(given, lambda *_: lambda _: None)

    assert b'"y"' in b"".join(benchmark(ask))


@pytest.mark.benchmark(group="telemetry")
def test_request_id(benchmark: Benchmark) -> None:
    """An id for a request without one."""
    benchmark(request_id, None)


@pytest.mark.benchmark(group="telemetry")
def test_count_a_request(benchmark: Benchmark) -> None:
    """The counters of one request."""
    metrics = Metrics()

    benchmark(metrics.request, "/predict", "POST", 200, 0.0001)


@pytest.mark.benchmark(group="telemetry")
def test_count_a_prediction(benchmark: Benchmark) -> None:
    """The same with those of its rows."""
    metrics = Metrics()

    benchmark(metrics.prediction, "/predict", 0.0001, "diabetes", 1_000)


@pytest.mark.benchmark(group="telemetry")
def test_write_an_access_line(benchmark: Benchmark, discarded: int) -> None:
    """Its line in the log."""
    log = Log(out=discarded, err=discarded)

    def write() -> None:
        log.access(
            request_id="0123456789abcdef0123456789abcdef",
            method="POST",
            route="/predict",
            path="/predict",
            status=200,
            seconds=0.00003,
            bytes_in=220,
            bytes_out=22,
            rows=1,
            model="diabetes/1",
        )

    benchmark(write)


QUOTAS = {
    "none": {},
    "requests": {"ORDINATE_LIMIT_ADDRESS_REQUESTS": "1000000/second:1000000000"},
    "requests and rows": {
        "ORDINATE_LIMIT_ADDRESS_REQUESTS": "1000000/second:1000000000",
        "ORDINATE_LIMIT_ADDRESS_ROWS": "1000000/second:1000000000",
    },
}


@pytest.mark.benchmark(group="quotas")
@pytest.mark.parametrize("settings", QUOTAS.values(), ids=QUOTAS)
def test_a_request_with_quotas(benchmark: Benchmark, settings: dict[str, str]) -> None:
    """One row through the fast path, as our worker asks it, written out but not logged."""
    fixed = {"ORDINATE_MODELS": str(DATA / "models"), "ORDINATE_ACCESS_LOG": "off"}
    fast, heads, case = create_app(Config.from_env(fixed | settings)).wsgi_app, Heads(), _case(1)
    assert isinstance(fast, FastPath)
    plain, sender = Plain(None, "/predict", "/predict", len(case.body), None), Sender("192.0.2.1")

    def ask() -> bytes:
        outcome, request_id = fast.respond(plain, case.body, fast.quick(plain), sender)
        return heads.answer(outcome, request_id, True)

    assert b"200 OK" in benchmark(ask)
