"""The rooms of the project and what they import, read from the code.

``python docs/rooms.py`` writes the picture ``docs/rooms.md``. A room is a folder of a
package with all that is below it, or a file beside such folders.
"""

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "rooms.md"
PACKAGES = ("data", "kg", "encoders", "evaluation", "fusion", "serving")


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


def draw(found: Iterable[Import]) -> str:
    """A Mermaid chart for each package: its rooms, and arrows from importer to imported."""
    arrows = {(room_of(one.source), room_of(one.target)) for one in found}
    between = {(a.split(".")[0], b.split(".")[0]) for a, b in arrows}
    parts = [
        "# Rooms and what they import\n",
        "`python docs/rooms.py` draws this page from the code. An arrow goes from the importer to",
        "what it imports. `tests/test_rooms.py` holds the floors.\n",
        "## Packages\n",
        _chart(between),
    ]
    for package in PACKAGES:
        own = {(a, b) for a, b in arrows if a.startswith(package + ".")}
        own = {(a, b) for a, b in own if b.startswith(package + ".")}
        if own:
            parts += [f"## {package}/\n", _chart(own)]
    return "\n".join(parts)


def _chart(arrows: Iterable[tuple[str, str]]) -> str:
    """A room is a box, a file beside rooms a rounded one."""
    arrows = sorted((a, b) for a, b in arrows if a != b)
    lines = ["```mermaid", "flowchart BT"]
    for name in sorted({name for pair in arrows for name in pair}):
        title = name.split(".", 1)[-1]
        room = (ROOT / name.replace(".", "/")).is_dir()
        lines.append(f"  {_node(name)}" + (f"[{title}]" if room else f"({title}.py)"))
    lines += [f"  {_node(a)} --> {_node(b)}" for a, b in arrows]
    return "\n".join([*lines, "```\n"])


def _node(name: str) -> str:
    return name.replace(".", "_")


if __name__ == "__main__":
    PICTURE.write_text(draw(imports()), "utf-8")
