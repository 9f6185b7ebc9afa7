"""LitServe: its own loop around a model."""

import os
import sys
from pathlib import Path
from typing import Any

import joblib
import litserve as ls  # type: ignore[import-not-found]


class Diabetes(ls.LitAPI):  # type: ignore[misc]
    """The regression in LitServe's three steps."""

    def setup(self, device: str) -> None:  # noqa: ARG002 - LitServe's interface
        """Load the model."""
        self.model = joblib.load(Path(os.environ["BENCH_FOLDER"]) / "diabetes.joblib")

    def decode_request(self, request: dict[str, Any]) -> Any:
        """Take x out of the body."""
        return request["x"]

    def predict(self, x: Any) -> Any:
        """Predict one row or many."""
        if isinstance(x[0], list):
            return self.model.predict(x).tolist()
        return float(self.model.predict([x])[0])

    def encode_response(self, output: Any) -> dict[str, Any]:
        """Put y into the answer."""
        return {"y": output}


if __name__ == "__main__":
    server = ls.LitServer(Diabetes(), accelerator="cpu", workers_per_device=1)
    server.run(port=int(sys.argv[1]), num_api_servers=1, generate_client_file=False)
