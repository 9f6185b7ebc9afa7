"""Saves the fitted regression in MLflow's format: `python save_mlflow.py FOLDER`."""

import shutil
import sys
from pathlib import Path

import joblib
import mlflow  # type: ignore[import-not-found]

folder = Path(sys.argv[1])
shutil.rmtree(folder / "mlflow", ignore_errors=True)
model = joblib.load(folder / "diabetes.joblib")
mlflow.sklearn.save_model(model, folder / "mlflow")
