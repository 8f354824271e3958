"""The rooms of the house: their floors, no circles, one import name, a picture that is true."""

import ast
import re
import subprocess
import sys

import pytest

from docs.drawing import drawing
from docs.rooms import (
    PACKAGES,
    PICTURES,
    ROOT,
    THIN_METHODS,
    circles,
    imports,
    modules,
    pages,
    room_of,
)

# Rooms and files of each package, ground floor first: each imports lower floors alone.
FLOORS: dict[str, tuple[str, ...]] = {
    "data": (
        "demo errors interactions mapped progress shown suggest",
        "files given",
        "command compression histories manifest neo4j order pairs privacy refusals vocabulary",
        "corpus items report",
        "dataset",
        "fingerprint split_proof",
        "readers split",
        "domains sources",
        "joining",
        "read",
    ),
    "kg": (
        "cypher graph",
        "item_facts naming stores",
        "paths patterns shell triples",
        "construction",
        "export item_numbers",
    ),
    "encoders": (
        "graph view",
        "behaviour text",
    ),
    "evaluation": (
        "exam leading significance",
        "order",
        "ranking",
        "metrics",
        "result",
        "ablation baselines by_group protocols",
        "judging table",
        "references reporting",
    ),
    "fusion": (
        "past plan record settings",
        "catalogue",
        "features",
        "models",
        "network",
        "ensemble",
        "requests runs",
        "explaining",
        "batch list_table live recommendation served_run training write_back",
        "answering checking preview replay",
        "asking",
        "changing",
        "compression personal updating",
        "following",
        "recommender",
        "reporting workers",
        "experiments",
    ),
    "serving": (
        "access jobs page",
        "metrics problems",
        "gateway hosting",
        "service wire",
        "mcp_server routes",
        "app",
        "processes",
    ),
}
BARE = {*PACKAGES, "train", "evaluate", "explore", "serve"}
FOUND = [
    one
    for one in imports()
    if not one.inner or (one.source, room_of(one.target)) not in THIN_METHODS
]


def floor_of(package: str) -> dict[str, int]:
    """The floor of each room or file of a package."""
    return {
        f"{package}.{room}": floor
        for floor, rooms in enumerate(FLOORS[package])
        for room in rooms.split()
    }


@pytest.mark.parametrize("package", [name for name in PACKAGES if (ROOT / name).is_dir()])
def test_every_room_has_a_floor_and_imports_lower_ones_alone(package):
    floors = floor_of(package)
    rooms = {room_of(name) for name in modules() if name.startswith(package + ".")}
    assert rooms == set(floors), "rooms and files beside them are listed in FLOORS, and no others"
    wrong = [
        f"{one.source}:{one.line} imports {one.target}"
        for one in FOUND
        if one.source.startswith(package + ".") and one.target.startswith(package + ".")
        if room_of(one.source) != room_of(one.target)
        if floors[room_of(one.source)] <= floors[room_of(one.target)]
    ]
    assert not wrong


def test_no_file_imports_itself_by_way_of_others():
    assert not circles((one.source, one.target) for one in FOUND)


def test_a_circle_is_found_wherever_it_is_closed():
    assert circles([("a", "b"), ("b", "c"), ("c", "b"), ("c", "d")]) == ["b → c → b"]
    assert circles([("a", "b"), ("a", "c"), ("b", "c")]) == []


def test_our_modules_are_imported_by_the_name_trefoil_alone():
    """A bare ``import data`` would load every module a second time."""
    wrong = []
    folders = [*PACKAGES, "tests", "benchmarks", "docs"]
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    for path in [*paths, *ROOT.glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            bare = [name for name in names if name.split(".")[0] in BARE]
            wrong += [
                f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}: {name}" for name in bare
            ]
    assert not wrong


def test_a_name_is_imported_from_where_it_is_defined():
    """A file that passes on what it imported hides where that lives; packages may."""
    files = {name: path for name, path in modules().items() if path.name != "__init__.py"}
    passed: dict[str, set[str]] = {}  # by module: names that it imports
    taken = []
    folders = [*PACKAGES, "tests", "benchmarks", "docs"]
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    for path in [*paths, *ROOT.glob("*.py")]:
        here = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("trefoil."):
                passed.setdefault(here, set()).update(a.asname or a.name for a in node.names)
                module = str(node.module).removeprefix("trefoil.")
                taken += [(f"{here}:{node.lineno}", module, alias.name) for alias in node.names]
    wrong = [one for one in taken if one[1] in files and one[2] in passed.get(one[1], ())]
    assert not wrong


def test_the_front_door_opens_without_torch_and_leads_to_every_name():
    code = (
        "import sys, trefoil\n"
        "heavy = {'torch', 'polars', 'numpy', 'pydantic'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "assert all(getattr(trefoil, name).__name__ for name in trefoil.__all__)\n"
        "assert set(trefoil.__all__) <= set(dir(trefoil))\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=120)


@pytest.mark.parametrize("command", ["train", "evaluate", "recommend", "serve", "explore"])
def test_a_command_can_be_asked_for_help_without_torch(command):
    code = f"import sys, trefoil.{command}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=120)


def test_the_front_door_names_what_it_does_not_have():
    import trefoil

    with pytest.raises(AttributeError, match="no attribute 'Recomender'"):
        trefoil.Recomender  # noqa: B018


def test_the_pictures_of_the_rooms_are_drawn_from_the_code():
    drawn = pages(imports())
    stale = [str(p) for p, text in drawn.items() if not p.exists() or p.read_text("utf-8") != text]
    assert not stale, "run: python -m docs.rooms"
    assert set(PICTURES.iterdir()) < set(drawn)


def test_a_picture_has_each_box_and_leaves_out_arrows_that_follow_from_others():
    picture = drawing([("a", "b"), ("b", "c"), ("a", "c"), ("d&", "c")], label="x", folders={"a"})
    assert re.findall(r"<text[^>]*>(.*?)</text>", picture) == ["a", "b", "c", "d&amp;"]
    assert picture.count("marker-end") == 3
    assert picture.count('rx="4"') == 1
