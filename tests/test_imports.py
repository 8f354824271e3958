"""Every module can be imported alone; what packages name is there, and what examples say holds."""

import ast
import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("data", "kg", "encoders", "evaluation", "fusion", "serving")
PATHS = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def name_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(("trefoil", *parts)).removesuffix(".__init__")


MODULES = sorted(name_of(path) for path in PATHS if path.name != "__init__.py")
WITH_EXAMPLES = [name_of(path) for path in PATHS if ">>> " in path.read_text("utf-8")]
FRONTS = [path for path in [*PATHS, ROOT / "__init__.py"] if path.name == "__init__.py"]


@pytest.mark.parametrize("module", MODULES)
def test_a_module_can_be_imported(module):
    importlib.import_module(module)


@pytest.mark.parametrize("path", FRONTS, ids=name_of)
def test_a_package_names_all_that_it_imports_and_nothing_else(path):
    tree = ast.parse(path.read_text("utf-8"))
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("trefoil")
        for alias in node.names
    }
    told = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    ]
    front = importlib.import_module("trefoil" if path.parent == ROOT else name_of(path))
    names = told[0] if told else []
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert imported - used <= set(names), "imported and not in __all__"
    assert len(names) == len(set(names))
    assert all(hasattr(front, name) for name in names)


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_the_examples_of_a_docstring_say_what_happens(module):
    found = doctest.testmod(importlib.import_module(module))
    assert found.attempted > 0
    assert found.failed == 0


def test_there_are_examples():
    assert len(WITH_EXAMPLES) >= 3


def test_every_function_has_annotated_arguments_and_result():
    wrong = []
    for path in [*PATHS, *ROOT.glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            given = node.args
            arguments = [*given.posonlyargs, *given.args, *given.kwonlyargs]
            arguments += [one for one in (given.vararg, given.kwarg) if one is not None]
            bare = [one.arg for one in arguments if one.annotation is None]
            bare = [name for name in bare if name not in ("self", "cls")]
            if bare or node.returns is None:
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}: {node.name} {bare}")
    assert not wrong
