"""docs/deploying.md: its unit and its manifests start what they should."""

import configparser
import json
import re
import shlex
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]  # comes with schemathesis

from app.config import SETTINGS, Config
from tests.support.server import ROOT, Server

TEXT = (ROOT / "docs" / "deploying.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(.+)\n([^`]*)^```$", TEXT, re.MULTILINE)
UNIT = next(text for kind, text in BLOCKS if kind == "ini")
DEPLOYMENT, SERVICE = yaml.safe_load_all(next(text for kind, text in BLOCKS if kind == "yaml"))
POD = DEPLOYMENT["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]
IMAGE = (ROOT / "Dockerfile").read_text("utf-8")
DEFAULTS = {setting.variable: setting.default for setting in SETTINGS}
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze")
    # Where it is installed is the reader's; that the program exists is checked as well.
    program = tmp_path / ".venv" / "bin" / "gunicorn"
    program.parent.mkdir(parents=True)
    program.symlink_to(shutil.which("true") or "/bin/true")
    unit = tmp_path / "ordinate.service"
    unit.write_text(UNIT.replace("/srv/ordinate", str(tmp_path)))

    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(unit)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert [line for line in done.stderr.splitlines() if "ordinate" in line] == []


def test_the_unit_starts_gunicorn_where_its_settings_are() -> None:
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(UNIT)
    service = unit["Service"]

    program, *arguments = shlex.split(service["ExecStart"])

    assert program == f"{service['WorkingDirectory']}/.venv/bin/gunicorn"
    assert arguments == ["wsgi:app"]


def test_gunicorn_tells_systemd_when_it_is_up(tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address)
        manager.settimeout(20)
        with Server(tmp_path, NOTIFY_SOCKET=address):
            assert b"READY=1" in manager.recv(4096)


def test_the_pod_finds_all_that_its_settings_name() -> None:
    env = {each["name"]: each["value"] for each in CONTAINER["env"]}
    mounts = {mount["name"]: mount["mountPath"] for mount in CONTAINER["volumeMounts"]}

    config = Config.from_env(env)

    assert config.warnings == ()
    assert config.auth
    assert f"ORDINATE_MODELS={mounts['models']} " in IMAGE
    assert str(config.keys.parent) == mounts["keys"]
    assert mounts.keys() == {volume["name"] for volume in POD["volumes"]}
    assert POD["terminationGracePeriodSeconds"] > config.stop_delay + config.grace


def test_the_service_leads_to_the_pod() -> None:
    labels = DEPLOYMENT["spec"]["template"]["metadata"]["labels"]
    (port,) = CONTAINER["ports"]

    assert DEPLOYMENT["spec"]["selector"]["matchLabels"] == labels == SERVICE["spec"]["selector"]
    assert f"PORT={port['containerPort']} " in IMAGE
    assert SERVICE["spec"]["ports"][0]["targetPort"] == port["containerPort"]


def test_each_probe_asks_what_needs_no_key(server: Server) -> None:
    probes = {name: CONTAINER[name]["httpGet"] for name in PROBES}

    assert {name: probe["path"] for name, probe in probes.items()} == {
        "startupProbe": "/healthz",
        "livenessProbe": "/healthz",
        "readinessProbe": "/readyz",
    }
    assert {probe["port"] for probe in probes.values()} == {int(DEFAULTS["PORT"])}
    assert all(server.get(probe["path"]) for probe in probes.values())


def test_without_httpget_the_check_of_the_image_asks_the_same() -> None:
    probes = yaml.safe_load(next(text for kind, text in BLOCKS if kind == "yaml exec"))
    commands = [probe["exec"]["command"] for probe in probes.values()]

    (check,) = re.findall(r"^    CMD (\[.*\])$", IMAGE, re.MULTILINE)
    assert [command[:3] for command in commands] == [json.loads(check)] * 2
    assert [command[3:4] for command in commands] == [[], ["/readyz"]]


def test_the_readme_says_what_the_image_sets() -> None:
    (block,) = re.findall(r"^ENV ((?:.*\\\n)*.*)$", IMAGE, re.MULTILINE)
    sets = dict(each.split("=") for each in block.replace("\\\n", " ").split())
    others = {name: value for name, value in sets.items() if DEFAULTS.get(name, value) != value}

    said = re.search(r"The image sets ([^;]*);", (ROOT / "README.md").read_text("utf-8"))

    assert said
    assert dict(each.split("=") for each in re.findall(r"`([^`]*)`", said[1])) == others
