"""A dataset folder in a few words, and the real data where they are."""

import os
from pathlib import Path

import pytest

TOML = """
[interactions]
file = "events.csv"
user = "user_id"
item = "item_id"
"""


@pytest.fixture
def folder(tmp_path):
    """Writes a dataset.toml and files into a fresh folder; returns the folder."""

    def write(toml=TOML, **files):
        (tmp_path / "dataset.toml").write_text(toml, encoding="utf-8")
        for name, content in files.items():
            stem, _, suffix = name.partition("_")
            data = content if isinstance(content, bytes) else content.encode()
            (tmp_path / f"{stem}.{suffix.replace('_', '.')}").write_bytes(data)
        return tmp_path

    return write


@pytest.fixture
def real():
    """Path of a real data folder, or a skip that says what is missing."""
    here = Path(__file__).parents[2] / "../shared/datasets"
    datasets = Path(os.environ.get("TREFOIL_DATA", here)).resolve()

    def find(name):
        if not (datasets / name).is_dir():
            pytest.skip(f"no {name} in {datasets}; set TREFOIL_DATA")
        return datasets / name

    return find
