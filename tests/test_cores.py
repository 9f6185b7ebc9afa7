"""Cores are counted as the processor mask and a container's quota allow."""

from pathlib import Path

import pytest

from app.cores import usable_cores


def _files(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.mark.parametrize(
    "files",
    [
        {"cpu.max": "50000 100000\n"},
        {"cpu/cpu.cfs_quota_us": "100000\n", "cpu/cpu.cfs_period_us": "100000\n"},
    ],
    ids=["version 2", "version 1"],
)
def test_a_container_limited_to_one_core_uses_one(tmp_path: Path, files: dict[str, str]) -> None:
    assert usable_cores(_files(tmp_path, files)) == 1


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"cpu.max": "max 100000\n"},
        {"cpu.max": "rubbish"},
        {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"},
    ],
    ids=["no group", "no limit", "unreadable", "no limit, version 1"],
)
def test_without_a_quota_the_cpu_mask_decides(tmp_path: Path, files: dict[str, str]) -> None:
    assert usable_cores(_files(tmp_path, files)) == usable_cores(tmp_path / "nowhere")
