"""What holds for the tree as a whole: where imports point, what may be called, what is read."""

import ast
import os
import re
import shutil
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest
from pydantic import BaseModel

from trefoil.fusion.models.listed import BASE_MODELS
from trefoil.fusion.settings import Settings

ROOT = Path(__file__).parents[1]
ORDER: tuple[str, ...] = ("data", "kg", "encoders", "fusion", "serving")  # imports point left
MAY_IMPORT: dict[str, set[str]] = {
    name: set(ORDER[: place + 1]) for place, name in enumerate(ORDER)
}
MAY_IMPORT["evaluation"] = {"data", "evaluation"}
for name in ("fusion", "serving"):
    MAY_IMPORT[name].add("evaluation")
OURS = {*MAY_IMPORT, "docs", "benchmarks", "examples", "tests"}
SCRIPTS = {"train", "evaluate", "explore", "recommend", "serve"}
PASSING = re.compile(
    r"\.(?!ci$|github$).*|build|dist|__pycache__|.*\.egg-info"
)  # folders that come and go


def passing(folder: Path) -> bool:
    """Whether a folder comes and goes."""
    return bool(PASSING.fullmatch(folder.name)) or folder == ROOT / "runs"


@cache
def files() -> list[Path]:
    """Files of the project, none of them made by running it."""
    found = []
    for folder, inner, names in os.walk(ROOT):
        inner[:] = [name for name in inner if not passing(Path(folder, name))]
        found += [Path(folder, name) for name in names if not name.endswith(".pyc")]
    return sorted(path for path in found if path != ROOT / ".git")  # a file in a worktree


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def code(*tops: str) -> list[Path]:
    """Python files below these folders, or of these names at the root; without names, all."""
    found = [path for path in files() if path.suffix == ".py"]
    return [
        p for p in found if not tops or p.relative_to(ROOT).parts[0].removesuffix(".py") in tops
    ]


def imports(path: Path) -> set[str]:
    """Full names of the modules that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{named(path)}:{node.lineno}: a relative import"
            if node.module == "trefoil":
                found |= {f"trefoil.{alias.name}" for alias in node.names}
            else:
                found.add(node.module or "")
    return found


def tops_imported(path: Path) -> set[str]:
    """First names of what a file imports; ``kg`` for ``trefoil.kg.graph``."""
    return {name.removeprefix("trefoil.").partition(".")[0] for name in imports(path)}


def calls(path: Path) -> list[tuple[str, ast.Call]]:
    """Every call with what is called, written out: ``torch.load``."""
    nodes = (node for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call))
    return [(ast.unparse(node.func), node) for node in nodes]


@pytest.mark.parametrize("package", sorted(MAY_IMPORT))
def test_imports_point_left(package):
    wrong = {
        named(path): sorted(bad)
        for path in code(package)
        if (bad := tops_imported(path) & (OURS | SCRIPTS) - MAY_IMPORT[package])
    }
    assert not wrong


def test_scripts_and_the_front_door_are_outermost():
    for path in code(*SCRIPTS, "__init__"):
        allowed = OURS - {"tests", "benchmarks", "examples"}
        assert tops_imported(path) & (OURS | SCRIPTS) <= allowed, named(path)
    for path in code("__init__"):
        assert not tops_imported(path) & {"trefoil", *SCRIPTS}


@pytest.mark.parametrize(
    ("library", "home"),
    [
        ("sentence_transformers", "encoders/text/sentence_model.py"),
        ("neo4j", "data/neo4j/server.py"),
        ("peft", "encoders/text/adapters.py"),
    ],
)
def test_a_heavy_library_is_imported_in_one_file(library, home):
    importers = {named(path) for path in code(*MAY_IMPORT, *SCRIPTS, "__init__", "benchmarks")}
    importers = {name for name in importers if library in tops_imported(ROOT / name)}
    assert importers <= {home}


def test_nothing_is_unpickled_and_no_text_is_run_as_code():
    modules = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
    forbidden = {"eval", "exec", "torch.load", "torch.save", "yaml.load", "pd.read_pickle"}
    for path in code():
        assert not tops_imported(path) & modules, named(path)
        for name, node in calls(path):
            place = f"{named(path)}:{node.lineno}: {name}"
            assert name not in forbidden, place
            unsafe = {"allow_pickle": True, "weights_only": False, "trust_remote_code": True}
            for keyword in node.keywords:
                if keyword.arg in unsafe and isinstance(keyword.value, ast.Constant):
                    assert keyword.value.value != unsafe[keyword.arg], place


def test_only_evaluation_opens_the_test_part():
    for path in code():
        if path.relative_to(ROOT).parts[0] in ("evaluation", "evaluate.py", "tests"):
            continue
        reads = [n for n in ast.walk(tree_of(path)) if isinstance(n, ast.Attribute)]
        lines = [n.lineno for n in reads if n.attr in ("open_test", "_test")]
        if named(path) != "data/split.py":
            assert not lines, f"{named(path)}:{lines}"


def test_only_scripts_print():
    of_scripts = {
        "data/command.py",
        "fusion/reporting/progress.py",
        "serving/jobs/update.py",  # a command of its own, run by a job
    }  # how they end, and what they show
    for path in code(*MAY_IMPORT):
        if named(path) in of_scripts:
            continue
        lines = [node.lineno for name, node in calls(path) if name == "print"]
        assert not lines, f"{named(path)}:{lines}"


def settings_of(branch: type[BaseModel] = Settings, at: tuple[str, ...] = ()) -> set[tuple]:
    """Paths of all settings: ``("network", "width")``."""
    found = set()
    for name, field in branch.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            found |= settings_of(inner, (*at, name))
        else:
            found.add((*at, name))
    return found


def settings_read(path: Path) -> set[tuple[str, ...]]:
    """Paths below ``settings`` that a file reads, through plain aliases and annotations too."""
    branches = {
        field.annotation.__name__: (name,)
        for name, field in Settings.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    } | {"Settings": ()}
    alias: dict[str, set[tuple[str, ...]]] = {"settings": {()}}

    def paths(node: ast.AST) -> set[tuple[str, ...]]:
        if isinstance(node, ast.Name):
            return alias.get(node.id, set())
        if isinstance(node, ast.Attribute):
            own = {()} if node.attr == "settings" else set()
            return own | {(*path, node.attr) for path in paths(node.value)}
        return set()

    def bind(target: ast.AST, value: ast.AST) -> None:
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            for one, other in zip(target.elts, value.elts, strict=True):
                bind(one, other)
        elif isinstance(target, ast.Name):
            alias.setdefault(target.id, set()).update(paths(value))

    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.arg) and isinstance(node.annotation, ast.Name):
            if node.annotation.id in branches:
                alias.setdefault(node.arg, set()).add(branches[node.annotation.id])
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                bind(target, node.value)
    reads = [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.Attribute)]
    return {found for node in reads for found in paths(node)}


def test_every_setting_is_read_somewhere():
    read = {tuple(line.switch.split(".")) for line in BASE_MODELS if line.switch}
    assert read <= settings_of(), "a base model's switch is a setting"
    for path in code(*MAY_IMPORT, *SCRIPTS):
        if not named(path).startswith("fusion/settings/"):
            read |= settings_read(path)
    unread = {".".join(path) for path in settings_of() - read}
    assert not unread


def test_pyproject_lists_every_package_and_script():
    told = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    folders = {named(path.parent).replace("/", ".") for path in code(*MAY_IMPORT)}
    listed = told["tool"]["setuptools"]
    assert listed["package-dir"] == {"trefoil": "."}
    assert set(listed["packages"]) == {"trefoil"} | {f"trefoil.{name}" for name in folders}
    scripts = {path.stem for path in code(*SCRIPTS)}
    commands = {f"trefoil-{name}": f"trefoil.{name}:main" for name in scripts}
    assert told["project"]["scripts"] == commands


def test_packages_have_an_init_without_logic_and_tests_have_none():
    for folder in {path.parent for path in code(*MAY_IMPORT)}:
        for node in tree_of(folder / "__init__.py").body:
            plain = isinstance(node, ast.Import | ast.ImportFrom | ast.Assign | ast.Expr)
            assert plain, f"{named(folder)}/__init__.py:{node.lineno}"
    assert not [named(path) for path in code("tests") if path.name == "__init__.py"]


def test_files_of_tests_have_names_of_their_own():
    """Without packages below ``tests/`` two files of one name hide each other."""
    names = [path.name for path in code("tests") if path.name != "conftest.py"]
    assert len(names) == len(set(names)), sorted({n for n in names if names.count(n) > 1})


def test_no_environment_is_kept_with_the_project():
    """A tracked link or folder of that name would take the place of the one that is in use."""
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("no checkout of git")
    asked = ["git", "-C", str(ROOT), "ls-files", "--", ".venv"]
    assert subprocess.run(asked, capture_output=True, text=True, check=True).stdout == ""


def test_no_folder_is_a_drawer_for_everything():
    names = {part.removesuffix(".py") for path in code() for part in path.parts}
    assert not names & {"utils", "util", "common", "helpers", "misc"}


def test_files_stay_within_300_lines_and_functions_within_60():
    long = {}
    for path in code(*MAY_IMPORT, *SCRIPTS, "__init__"):
        lines = len(path.read_text("utf-8").splitlines())
        if lines > 300:
            long[named(path)] = lines
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                if lines > 60:
                    long[f"{named(path)}:{node.name}"] = lines
    assert not long


def test_no_file_speaks_of_one_machine_or_one_registry():
    place = re.compile(r"(?<![\w.:/<>-])/(?:work|root|home|opt)/\w")
    registry = re.compile(r"pypi\.org/simple|pythonhosted\.org|download\.pytorch\.org|index[-]url")
    wrong = []
    for path in files():
        if path.name.endswith(".tar.gz") or path.parent.name == "kinds":  # samples as found
            continue
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            wrong.append(f"{named(path)}: not text")
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if place.search(line) or registry.search(line):
                wrong.append(f"{named(path)}:{number}: {line.strip()[:80]}")
    assert not wrong
