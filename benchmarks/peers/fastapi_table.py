"""FastAPI over rows by feature name: a pydantic model of the columns, pandas, the pipeline.

The pydantic models are made of the columns' description, as somebody would write them by hand.
"""

import json
import os
from pathlib import Path
from typing import Annotated, Any, Literal

import joblib
import orjson
import pandas as pd  # type: ignore[import-untyped]
from fastapi import FastAPI, Response  # type: ignore[import-not-found]
from pydantic import (  # type: ignore[import-not-found]
    BaseModel,
    ConfigDict,
    Field,
    create_model,
)

folder = Path(os.environ["BENCH_FOLDER"])
columns: dict[str, list[str] | None] = json.loads((folder / "table.json").read_text())
pipeline = joblib.load(folder / "table.joblib")

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Strict = ConfigDict(extra="forbid")
fields: dict[str, Any] = {
    name: (Number if values is None else Literal[tuple(values)], ...)
    for name, values in columns.items()
}
Row: Any = create_model("Row", __config__=Strict, **fields)


class OneRow(BaseModel):  # type: ignore[misc]
    """One row by feature name."""

    model_config = Strict
    x: Row


class Rows(BaseModel):  # type: ignore[misc]
    """Rows by feature name."""

    model_config = Strict
    x: Annotated[list[Row], Field(min_length=1)]


app = FastAPI()


def predictions(rows: list[Any]) -> list[float]:
    """Predict rows that pydantic has checked."""
    frame = pd.DataFrame([row.__dict__ for row in rows], columns=list(columns))
    found: list[float] = pipeline.predict(frame).tolist()
    return found


@app.post("/predict")  # type: ignore[untyped-decorator]
async def predict(request: OneRow) -> Response:
    """Predict one row."""
    y = predictions([request.x])[0]
    return Response(orjson.dumps({"y": y}), media_type="application/json")


@app.post("/rows")  # type: ignore[untyped-decorator]
async def predict_rows(request: Rows) -> Response:
    """Predict many."""
    return Response(orjson.dumps({"y": predictions(request.x)}), media_type="application/json")
