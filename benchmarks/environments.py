"""Sets up what is compared: environments of the peers, and the same models in each."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks import credit
from benchmarks.services import BIN, DATA, PEERS, PLACE, ROOT

TABLE_PEERS = {"fastapi"}

_MLSERVER_MODEL = {
    "name": "diabetes",
    "implementation": "mlserver_sklearn.SKLearnModel",
    "parameters": {"uri": "./diabetes.joblib"},
}


def train(data: Path | None, target: str) -> tuple[Path, str]:
    """Publish the diabetes model and one of a table in a models folder of their own.

    Args:
        data: a table; a synthetic one if there is none.
        target: its column to predict.

    Returns:
        The table and its target.
    """
    models = DATA / "models"
    shutil.rmtree(models, ignore_errors=True)
    models.mkdir(parents=True)
    if data is None:
        data, target = DATA / "synthetic.csv", credit.TARGET
        credit.write(data)
    data = data.resolve()
    for more in ([], ["--name", "table", "--data", str(data), "--target", target]):
        train_py = [str(BIN / "python"), str(ROOT / "train.py"), "--models", str(models), *more]
        subprocess.run(train_py, check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
    return data, target


def install(name: str) -> str | None:
    """Install a peer's locked requirements, if that has not been done; say why if it cannot be."""
    folder, lock = PLACE / name, PEERS / f"{name}.txt"
    stamp = folder / "installed.txt"
    if stamp.is_file() and stamp.read_text() == lock.read_text():
        return None
    print(f"Installing {name} into {folder.relative_to(ROOT)} ...", flush=True)
    pip = [
        *(str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"),
        *("--require-hashes", "--only-binary", ":all:", "--requirement", str(lock)),
    ]
    for command in ([sys.executable, "-m", "venv", "--clear", str(folder)], pip):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            return _last_line(done.stderr) or "its installation failed"
    stamp.write_text(lock.read_text())
    return None


def prepare(name: str, data: Path, target: str) -> str | None:
    """Fit the models in a peer's environment; say why if that fails."""
    folder = DATA / name
    folder.mkdir(parents=True, exist_ok=True)
    steps = [["fit.py", str(folder)]]
    if name in TABLE_PEERS:
        steps.append(["fit_table.py", str(folder), str(data), target])
    if name == "mlflow":
        steps.append(["save_mlflow.py", str(folder)])
    if name == "mlserver":
        (folder / "settings.json").write_text("{}")
        (folder / "model-settings.json").write_text(json.dumps(_MLSERVER_MODEL))
    for script, *arguments in steps:
        command = [str(PLACE / name / "bin" / "python"), str(PEERS / script), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            return _last_line(done.stderr) or f"{script} failed"
    return None


def versions(name: str | None, packages: tuple[str, ...]) -> dict[str, str]:
    """Versions of packages in a peer's environment, or in ours."""
    python = PLACE / name / "bin" / "python" if name else Path(sys.executable)
    ask = (
        "import importlib.metadata as m, json, sys;"
        "print(json.dumps({name: m.version(name) for name in sys.argv[1:]}))"
    )
    done = subprocess.run(
        [str(python), "-c", ask, *packages], capture_output=True, text=True, check=False
    )
    found: dict[str, str] = json.loads(done.stdout) if done.returncode == 0 else {}
    return found


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
