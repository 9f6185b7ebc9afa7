"""The service with one more address, at which a request does what a broken model might.

To be served by gunicorn as ``tests.support.faulty:app``.
"""

import os
import signal
import threading
import time
from pathlib import Path

from flask import Response, request

from app import create_app
from app.config import Config

FAULTY = "tests.support.faulty:app"

app = create_app(Config.from_env(os.environ))


@app.post("/faults/<kind>")
def fault(kind: str) -> Response:
    """Hang for ever, hold until a file is there, sleep or spin for some seconds, or crash."""
    if kind == "hang":
        threading.Event().wait()
    elif kind == "hold":
        gate = Path(request.args["gate"])
        while not gate.exists():
            time.sleep(0.01)
    elif kind == "sleep":
        time.sleep(float(request.args["seconds"]))
    elif kind == "exit":
        os._exit(3)
    elif kind == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    return Response("{}", mimetype="application/json")
