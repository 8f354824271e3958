"""Every module can be imported alone, with the shape checks of the test run switched on."""

import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("data", "kg", "encoders", "evaluation", "fusion", "serving")
MODULES = sorted(
    ".".join(("trefoil", *path.relative_to(ROOT).with_suffix("").parts))
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
    if path.name != "__init__.py"
)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_can_be_imported(module):
    importlib.import_module(module)
