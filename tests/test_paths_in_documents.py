"""Documents name files and modules that are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
TOPS = ("data", "kg", "encoders", "evaluation", "fusion", "tests", "benchmarks", "docs")
QUOTED = re.compile(r"`([^`\n]+)`")
FENCED = re.compile(r"```.*?```", re.DOTALL)
PATH = re.compile(rf"(?<![\w./])(?:{'|'.join(TOPS)})/[\w./-]*")
MODULE = re.compile(rf"(?<![\w.])trefoil\.(?:{'|'.join(TOPS[:5])})\b[\w.]*|^::: (trefoil[\w.]*)")


def named_in(page):
    """Paths and modules in back-ticks outside of code blocks."""
    for said in QUOTED.findall(FENCED.sub("", page.read_text("utf-8"))):
        for path in PATH.findall(said):
            if "*" not in said and "…" not in said:
                yield path.rstrip(".")
        for found in MODULE.finditer(said):
            yield found[0]


def is_there(name):
    if not name.startswith("trefoil."):
        return (ROOT / name).exists()
    parts = name.split(".")[1:]
    for size in range(len(parts), 0, -1):
        path = ROOT.joinpath(*parts[:size])
        source = (
            path.with_suffix(".py") if path.with_suffix(".py").is_file() else path / "__init__.py"
        )
        if source.is_file():
            return size == len(parts) or re.search(rf"\b{parts[size]}\b", source.read_text("utf-8"))
    return False


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_page_names_files_and_modules_that_are_there(page):
    assert not [name for name in named_in(page) if not is_there(name)]


def test_the_six_walks_of_the_architecture_lead_through_files():
    page = (ROOT / "docs/architecture.md").read_text("utf-8")
    walks = page.split("## Six walks")[1].split("\n## ")[0]
    rows = [line for line in walks.splitlines() if line.startswith("| a")]
    assert len(rows) == 6
    assert all(PATH.findall(row) for row in rows)


def test_a_name_that_is_not_there_is_found():
    assert not is_there("kg/nowhere.py")
    assert not is_there("trefoil.kg.nowhere")
    assert is_there("trefoil.kg.graph.KnowledgeGraph")
