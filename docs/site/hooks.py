"""What the site takes from the code when it is built: the settings, and the Python reference."""

import inspect
import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from trefoil import Settings

ROOT = Path(__file__).resolve().parents[2]
FIELD = re.compile(r"    (?P<name>\w+): ")
LIMITED = re.compile(r"Annotated\[(\w+), [^\[\]]*\]")


def on_startup(**_: Any) -> None:
    """Lay out ``build/reference/trefoil``: links to our packages, for mkdocstrings to read.

    The link ``trefoil`` at the root leads to the environment and to itself, and griffe follows
    links without end. mkdocstrings forgets a path that is not there when it reads its settings.
    """
    package = ROOT / "build" / "reference" / "trefoil"
    package.mkdir(parents=True, exist_ok=True)
    for link in package.iterdir():
        link.unlink()
    for init in [ROOT / "__init__.py", *ROOT.glob("*/__init__.py")]:
        source = init if init.parent == ROOT else init.parent
        if source.name != "trefoil":
            (package / source.name).symlink_to(source)


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Fill in ``<!-- settings -->``, and give the wide tables of results the whole width."""
    if page.file.src_uri.startswith("results"):
        page.meta["hide"] = ["toc"]
    if "<!-- settings -->" in markdown:
        markdown = markdown.replace("<!-- settings -->", settings_tables())
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
        kind = kind.replace("typing.", "").replace("|", "or").replace("Union[bool, ", "bool or ")
        kind = kind[:-1] if kind.count("[") < kind.count("]") else kind
        kind = LIMITED.sub(r"\1", kind)
        cells = f"`{prefix}{name}`", f"`{field.default!r}`", f"`{kind}`", meanings.get(name, "")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, "", *deeper])


def comments(branch: type[BaseModel]) -> dict[str, str]:
    """The comment that stands in the source above each field, and the one behind its last line."""
    found, above, name = dict[str, list[str]](), list[str](), ""
    for line in inspect.getsource(branch).splitlines():
        if line.startswith("    # "):
            above.append(line.strip()[2:])
            continue
        field = FIELD.match(line)
        if field:
            name = field["name"]
            found[name] = above
        above = []
        code, mark, comment = line.partition("  # ")
        if name and mark and code.strip():
            found[name].append(comment.strip())
    return {name: " ".join(lines).replace("|", "\\|") for name, lines in found.items()}
