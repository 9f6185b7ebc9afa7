"""FastAPI written with care: strict types, async views that never wait, answers by orjson.

`/predict` and `/rows` let FastAPI read the body, as its guide shows. `/lean/...` reads it by
pydantic's own parser, which few services do: what is left when nobody minds the idiom.
"""

import os
from pathlib import Path
from typing import Annotated, Any

import joblib
import orjson
from fastapi import FastAPI, Request, Response  # type: ignore[import-not-found]
from pydantic import BaseModel, ConfigDict, Field  # type: ignore[import-not-found]

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Row = Annotated[list[Number], Field(min_length=10, max_length=10)]


class OneRow(BaseModel):  # type: ignore[misc]
    """One row of 10 numbers."""

    model_config = ConfigDict(extra="forbid")
    x: Row


class Rows(BaseModel):  # type: ignore[misc]
    """Rows of 10 numbers."""

    model_config = ConfigDict(extra="forbid")
    x: Annotated[list[Row], Field(min_length=1)]


model = joblib.load(Path(os.environ["BENCH_FOLDER"]) / "diabetes.joblib")
app = FastAPI()


def answer(y: Any) -> Response:
    """A prediction as JSON."""
    return Response(orjson.dumps({"y": y}), media_type="application/json")


@app.post("/predict")  # type: ignore[untyped-decorator]
async def predict(request: OneRow) -> Response:
    """Predict one row."""
    return answer(float(model.predict([request.x])[0]))


@app.post("/rows")  # type: ignore[untyped-decorator]
async def predict_rows(request: Rows) -> Response:
    """Predict many."""
    return answer(model.predict(request.x).tolist())


@app.post("/lean/predict")  # type: ignore[untyped-decorator]
async def predict_lean(request: Request) -> Response:
    """Predict one row, read by pydantic alone."""
    row = OneRow.model_validate_json(await request.body()).x
    return answer(float(model.predict([row])[0]))


@app.post("/lean/rows")  # type: ignore[untyped-decorator]
async def predict_rows_lean(request: Request) -> Response:
    """Predict many, likewise."""
    rows = Rows.model_validate_json(await request.body()).x
    return answer(model.predict(rows).tolist())
