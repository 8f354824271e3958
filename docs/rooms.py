"""The rooms of the project and what they import, read from the code.

``python -m docs.rooms`` writes ``docs/rooms.md`` and its pictures. A room is a folder of a
package with all that is below it, or a file beside such folders.
"""

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from docs.drawing import drawing

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "rooms.md"
PICTURES = ROOT / "docs" / "site" / "rooms"
PACKAGES = ("data", "kg", "encoders", "evaluation", "fusion", "serving")
# Methods of a type that call a function of a room above it, imported when they are called.
THIN_METHODS = {("kg.graph", "kg.export"), ("fusion.recommender", "fusion.reporting")}
OPENING = """# Rooms and what they import

`python -m docs.rooms` draws this page from the code. A box is a folder, a rounded one a file
beside folders. An arrow goes down from the importer to what it imports; an arrow that follows
from others is left out of the pictures. The tables list every import. `tests/test_rooms.py`
holds the floors.
"""


@dataclass(frozen=True)
class Import:
    """One module of the project imports another; modules are named without ``trefoil.``"""

    source: str
    target: str
    line: int
    inner: bool  # inside a function, so only when that is called


def modules() -> dict[str, Path]:
    """Every module of the packages by name; a package's ``__init__`` has the package's name."""
    found = {}
    for path in (path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        found[name.removesuffix(".__init__")] = path
    return dict(sorted(found.items()))


def imports() -> list[Import]:
    """All imports between modules of the project."""
    known = modules()
    return [one for name, path in known.items() for one in _imports_of(name, path, known)]


def _imports_of(name: str, path: Path, known: Mapping[str, Path]) -> Iterator[Import]:
    tree = ast.parse(path.read_text("utf-8"), str(path))
    functions = (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
    inside = {id(node) for function in functions for node in ast.walk(function)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("trefoil."):
            module = str(node.module).removeprefix("trefoil.")
            for one in node.names:
                full = f"{module}.{one.name}"
                target = full if full in known else module
                yield Import(name, target, node.lineno, id(node) in inside)


def room_of(module: str) -> str:
    """``kg.stores`` for a module below that folder, else the module itself."""
    room = ".".join(module.split(".")[:2])
    return room if (ROOT / room.replace(".", "/")).is_dir() else module


def circles(arrows: Iterable[tuple[str, str]]) -> list[str]:
    """One line for each arrow that closes a circle: ``a → b → a``."""
    after: dict[str, set[str]] = defaultdict(set)
    for source, target in arrows:
        if source != target:
            after[source].add(target)
    done: set[str] = set()
    found: list[str] = []

    def walk(node: str, way: list[str]) -> None:
        for other in sorted(after[node]):
            if other in way:
                found.append(" → ".join([*way[way.index(other) :], other]))
            elif other not in done:
                walk(other, [*way, other])
        done.add(node)

    for node in sorted(after):
        if node not in done:
            walk(node, [node])
    return found


def pages(found: Iterable[Import]) -> dict[Path, str]:
    """The page of the rooms and its pictures: each file's path and text."""
    arrows = {(room_of(one.source), room_of(one.target)) for one in found} - THIN_METHODS
    parts = {"packages": {(a.split(".")[0], b.split(".")[0]) for a, b in arrows}}
    for package in PACKAGES:
        own = {pair for pair in arrows if all(name.startswith(package + ".") for name in pair)}
        parts[package] = {(_title(a), _title(b)) for a, b in own}
    written, text = dict[Path, str](), [OPENING]
    for part, pairs in parts.items():
        pairs = {(a, b) for a, b in pairs if a != b}
        if pairs:
            label = f"Rooms of {part} and their imports" if part != "packages" else "Packages"
            names = {name for pair in pairs for name in pair}
            folders = {name for name in names if not name.endswith(".py")}
            written[PICTURES / f"{part}.svg"] = drawing(pairs, label=label, folders=folders)
            title = f"`{part}/`" if part in PACKAGES else "Packages"
            text.append(f"## {title}\n\n![{label}](site/rooms/{part}.svg)\n\n{_table(pairs)}")
    return {PAGE: "\n".join(text), **written}


def _table(pairs: Iterable[tuple[str, str]]) -> str:
    """One row for each importer."""
    imported: dict[str, list[str]] = defaultdict(list)
    for source, target in sorted(pairs):
        imported[source].append(f"`{target}`")
    lines = [f"| `{name}` | {', '.join(names)} |" for name, names in imported.items()]
    return "\n".join(["| importer | imports |", "|---|---|", *lines, ""])


def _title(room: str) -> str:
    """The name of a room inside its package; a file beside rooms ends in ``.py``."""
    title = room.split(".", 1)[-1]
    return title if (ROOT / room.replace(".", "/")).is_dir() else f"{title}.py"


if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    for path, text in pages(imports()).items():
        path.write_text(text, "utf-8")
