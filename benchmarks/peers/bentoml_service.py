"""BentoML: a service class with one API for one row and one for many."""

import os
from pathlib import Path

import bentoml  # type: ignore[import-not-found]
import joblib


@bentoml.service(workers=1)
class Diabetes:
    """The regression."""

    def __init__(self) -> None:
        self.model = joblib.load(Path(os.environ["BENCH_FOLDER"]) / "diabetes.joblib")

    @bentoml.api  # type: ignore[untyped-decorator]
    def predict(self, x: list[float]) -> dict[str, float]:
        """Predict one row."""
        return {"y": float(self.model.predict([x])[0])}

    @bentoml.api  # type: ignore[untyped-decorator]
    def rows(self, x: list[list[float]]) -> dict[str, list[float]]:
        """Predict many."""
        return {"y": self.model.predict(x).tolist()}
