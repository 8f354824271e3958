"""Pages of the site that are written from the code: settings, and which room imports which."""

import ast
import inspect
import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from trefoil import Settings

ROOT = Path(__file__).parents[2]
PACKAGES = ("data", "kg", "encoders", "evaluation", "fusion")
FIELD = re.compile(r"    (?P<name>\w+): ")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Fill in ``<!-- settings -->`` and ``<!-- rooms -->``; other pages stay as they are."""
    if "<!-- settings -->" in markdown:
        markdown = markdown.replace("<!-- settings -->", settings_tables())
    if "<!-- rooms -->" in markdown:
        markdown = markdown.replace("<!-- rooms -->", rooms_table())
    return markdown


def settings_tables(branch: type[BaseModel] = Settings, prefix: str = "") -> str:
    """One table for each branch of the tree: name, default, type and the comment beside it."""
    title = f"## {prefix.rstrip('.') or 'At the top'}"
    lines = [title, "", inspect.cleandoc(branch.__doc__ or ""), ""]
    lines += ["| setting | default | type | meaning |", "|---|---|---|---|"]
    deeper, meanings = [], comments(branch)
    for name, field in branch.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            deeper.append(settings_tables(field.annotation, f"{prefix}{name}."))
            continue
        kind = str(getattr(field.annotation, "__name__", field.annotation))
        kind = str(field.annotation) if "[" in str(field.annotation) else kind
        kind = kind.replace("typing.", "").replace("|", "or")
        cells = f"`{prefix}{name}`", f"`{field.default!r}`", f"`{kind}`", meanings.get(name, "")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, "", *deeper])


def comments(branch: type[BaseModel]) -> dict[str, str]:
    """The comment that stands in the source beside each field, behind its last line."""
    found, name = dict[str, str](), ""
    for line in inspect.getsource(branch).splitlines():
        field = FIELD.match(line)
        name = field["name"] if field else name
        code, mark, comment = line.partition("  # ")
        if name and mark and code.strip():
            found[name] = comment.strip().replace("|", "\\|")
    return found


def rooms_table() -> str:
    """Which room imports which, as the code has it."""
    imports = dict[str, set[str]]()
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            here = room_of(path.relative_to(ROOT).with_suffix("").parts)
            imports.setdefault(here, set()).update(rooms_imported(path))
    lines = ["| room | imports |", "|---|---|"]
    for room, others in imports.items():
        named = ", ".join(f"`{one}`" for one in sorted(others - {room}) if one in imports)
        lines.append(f"| `{room}` | {named or 'nothing of ours'} |")
    return "\n".join(lines)


def rooms_imported(path: Path) -> set[str]:
    """Rooms that a file names in its imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        for name in names:
            parts = tuple(name.removeprefix("trefoil.").split("."))
            if parts[0] in PACKAGES:
                found.add(room_of(parts))
    return found


def room_of(parts: tuple[str, ...]) -> str:
    """``kg/cypher`` of a module there; the package where a module lies in none of its rooms."""
    for size in range(len(parts), 1, -1):
        if (ROOT / Path(*parts[:size])).is_dir():
            return "/".join(parts[:size])
    return parts[0]
