"""Answers for people and for programs: tables on a terminal, JSON, CSV."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import polars as pl
from rich.console import Console
from rich.table import Table
from rich.text import Text

from trefoil.kg.shell.questions import QUESTIONS
from trefoil.kg.stores.base import Answer, Schema

FORMATS = ("table", "lines", "json", "csv")
WIDEST = 60  # letters of a cell in a table


def show(answer: Answer, format: str, console: Console) -> None:
    """Print an answer; a table says how many rows there are and whether more were cut."""
    table = answer.table
    if format == "json":
        rows = [{name: plain(value) for name, value in row.items()} for row in table.to_dicts()]
        console.out(json.dumps(rows, ensure_ascii=False, indent=1, default=str), highlight=False)
    elif format == "csv":
        console.out(_flat(table).write_csv(), end="", highlight=False)
    elif format == "lines":
        _print_lines(answer, console)
    else:
        _print_table(answer, console)


def _print_table(answer: Answer, console: Console) -> None:
    table, cut = answer.table, False
    if table.width:
        drawn = Table(header_style="bold", box=None, pad_edge=False)
        for name, dtype in table.schema.items():
            drawn.add_column(Text(name), justify="right" if dtype.is_numeric() else "left")
        for row in table.iter_rows():
            cells = [" ".join(readable(value).split()) for value in row]
            cut = cut or any(len(cell) > WIDEST for cell in cells)
            drawn.add_row(*(Text(_cut(cell)) for cell in cells))
        console.print(drawn)
    _print_count(answer, console)
    if cut:
        console.print(Text("… cells are cut; the format `lines` shows them whole", style="dim"))


def _print_lines(answer: Answer, console: Console) -> None:
    """Every cell whole, one to a line, with a line between rows."""
    for number, row in enumerate(answer.table.iter_rows(named=True), 1):
        console.print(Text(f"row {number}", style="dim"))
        for name, value in row.items():
            console.print(Text.assemble((f"{name}: ", "bold"), readable(value)), soft_wrap=True)
    _print_count(answer, console)


def _print_count(answer: Answer, console: Console) -> None:
    rows = len(answer.table)
    count = f"{rows} row{'' if rows == 1 else 's'}"
    more = ", cut here: there are more (--limit)" if answer.cut else ""
    console.print(Text(f"{count} in {answer.seconds:.3f} s{more}", style="dim"))


def _cut(text: str) -> str:
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"


def _flat(table: pl.DataFrame) -> pl.DataFrame:
    """Nested columns as JSON text, which CSV can hold."""
    columns = []
    for column in table.get_columns():
        if column.dtype.is_nested() or column.dtype == pl.Binary:
            text = [
                None if v is None else json.dumps(plain(v), ensure_ascii=False, default=str)
                for v in column.to_list()
            ]
            column = pl.Series(column.name, text, dtype=pl.String)
        columns.append(column)
    return pl.DataFrame(columns)


def plain(value: Any) -> Any:
    """A cell for JSON: the properties of nodes and relationships become objects."""
    if isinstance(value, list):
        return [plain(part) for part in value]
    if isinstance(value, Mapping):
        out = {name: plain(part) for name, part in value.items()}
        if isinstance(out.get("properties"), str) and ("label" in out or "type" in out):
            out["properties"] = json.loads(out["properties"])
        return out
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float) and value != value:
        return None
    return value


def readable(value: Any) -> str:
    """A cell as people write it: ``(Solaris:Item)``, ``-[GENRE]->``, whole paths."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        return ", ".join(map(readable, value))
    if not isinstance(value, Mapping):
        return str(value)
    if value.keys() == {"nodes", "relationships"}:
        return _path(value)
    if "source_label" in value:
        return f"({value['source']})-[{value['type']}]->({value['target']})"
    if value.keys() == {"label", "id", "name", "properties"}:
        return f"({value['name']}:{value['label']})"
    return ", ".join(f"{name}: {readable(part)}" for name, part in value.items())


def _path(value: Mapping[str, Any]) -> str:
    nodes, text = value["nodes"], ""
    for at, node in enumerate(nodes):
        text += f"({node['name']})"
        if at < len(value["relationships"]):
            edge = value["relationships"][at]
            forward = (edge["source_label"], edge["source"]) == (node["label"], node["id"])
            text += f"-[{edge['type']}]->" if forward else f"<-[{edge['type']}]-"
    return text


def show_schema(schema: Schema, console: Console) -> None:
    """Labels with their properties, and what joins what."""
    for label, properties in schema.labels.items():
        names = ", ".join(f"{name} {kind}".strip() for name, kind in properties.items())
        console.print(Text.assemble((f"(:{label})", "bold"), f"  {names}"))
    for (source, relation, target), properties in schema.relationships.items():
        names = ", ".join(f"{name} {kind}".strip() for name, kind in properties.items())
        edge = f"(:{source})-[:{relation}]->(:{target})"
        console.print(Text.assemble((edge, "bold"), f"  {names}"))


def show_questions(console: Console) -> None:
    """Names, meanings and arguments of the named questions."""
    for name, question in QUESTIONS.items():
        console.print(Text.assemble((name, "bold"), f"  {question.about}"))
        for key, argument in question.arguments.items():
            default = "" if argument.default is None else f" (default {argument.default})"
            console.print(Text(f"    {key}={argument.kind.upper()}  {argument.about}{default}"))
