"""The service that tutorials end with."""

import os
from pathlib import Path

import joblib
from flask import Flask, Response, jsonify, request

app = Flask(__name__)
model = joblib.load(Path(os.environ["BENCH_FOLDER"]) / "diabetes.joblib")


@app.post("/predict")
def predict() -> Response:
    """Predict one row or many."""
    x = request.get_json()["x"]
    if isinstance(x[0], list):
        return jsonify(y=model.predict(x).tolist())
    return jsonify(y=float(model.predict([x])[0]))
