"""A run that a test may change."""

import shutil

import pytest


@pytest.fixture
def run(shop_run, tmp_path):
    """A copy of the run of the planted shop."""
    shutil.copytree(shop_run, tmp_path / "run")
    return tmp_path / "run"
